import { Turn } from "./slices.ts";

/**
 * Work that can be put down at each `yield`. What it yields makes the next steps cheaper, and is waited for by who has
 * the time; the others go on without.
 */
export type Work<T> = Generator<((pace: Pace) => Promise<void>) | undefined, T, void>;

/** How work of a moment is done: in one go at a start, when nobody waits for anything else; later a slice at a time. */
export class Pace {
  private readonly turn: Turn | undefined;

  private constructor(turn: Turn | undefined) {
    this.turn = turn;
  }

  static readonly inOneGo = new Pace(undefined);

  static besideTraffic(): Pace {
    return new Pace(new Turn());
  }

  get isBesideTraffic(): boolean {
    return this.turn !== undefined;
  }

  /** Time to `rest`, so that the loop does everything else that waits. */
  get isOver(): boolean {
    return this.turn?.isOver === true;
  }

  async rest(): Promise<void> {
    await this.turn?.pass();
  }

  async do<T>(work: Work<T>): Promise<T> {
    for (;;) {
      const step = work.next();
      if (step.done === true) return step.value;
      if (step.value !== undefined && this.isBesideTraffic) await step.value(this);
      if (this.isOver) await this.rest();
    }
  }
}
