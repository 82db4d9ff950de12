/** How long work may keep the loop to itself: a request that arrives meanwhile waits no longer. */
const SLICE_MS = 2;

/** Long work with places to pause: each `yield` is one, a few hundred small things after the last. */
export type Steps<T = void> = Generator<undefined, T, void>;

/** Runs steps beside the traffic, a slice in each turn of the loop; the first one at the next turn. */
export class SlicedWork {
  private readonly steps: Steps;
  private readonly onEnd: () => void;
  private waiting: NodeJS.Immediate | undefined;

  /** @param onEnd called once, unless it was cancelled; `finish` calls it too */
  constructor(steps: Steps, onEnd: () => void) {
    this.steps = steps;
    this.onEnd = onEnd;
    this.waiting = setImmediate(() => this.advance());
  }

  /** Does now what is left. */
  finish(): void {
    this.cancel();
    complete(this.steps);
    this.onEnd();
  }

  cancel(): void {
    clearImmediate(this.waiting);
    this.waiting = undefined;
  }

  private advance(): void {
    const endsAtMs = performance.now() + SLICE_MS;
    do {
      if (this.steps.next().done === true) {
        this.waiting = undefined;
        this.onEnd();
        return;
      }
    } while (performance.now() < endsAtMs);
    this.waiting = setImmediate(() => this.advance());
  }
}

/** Does all steps in one go. */
export function complete<T>(steps: Generator<unknown, T, void>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** Does steps in turns with everything else that waits; for those of which each takes its time. */
export async function inTurns(steps: Steps): Promise<void> {
  for (const _ of steps) await new Promise(setImmediate);
}

/** The same for a loop in an async function: `if (turn.isOver) await turn.pass()`. */
export class Turn {
  private endsAtMs = performance.now() + SLICE_MS;

  get isOver(): boolean {
    return performance.now() >= this.endsAtMs;
  }

  /** Lets the loop do everything else that waits. */
  async pass(): Promise<void> {
    await new Promise(setImmediate);
    this.endsAtMs = performance.now() + SLICE_MS;
  }
}

/** For many that fall due together: `await lane.next()`, and each has its turn after the one before, a slice of them at a time. */
export class Lane {
  private readonly turn = new Turn();
  private last: Promise<void> = Promise.resolve();

  next(): Promise<void> {
    // Who waits for the last goes on before this is asked: what it did is counted.
    this.last = this.last.then(() => (this.turn.isOver ? this.turn.pass() : undefined));
    return this.last;
  }
}
