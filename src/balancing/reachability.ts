import type { Clock } from "../core/clock.ts";
import type { Member } from "./member.ts";
import type { Prober } from "./probe.ts";

const FIRST_KNOCK_MS = 250;
const LAST_KNOCK_MS = 5_000;
const KNOCK_TIMEOUT_MS = 1_000;
/** Those that are doubted together and knocked at together, and those that follow them in each millisecond. */
const AT_ONCE = 50;
const A_MS = 2;

/**
 * A refused connection needs no statistics: nobody is there. Such an instance is out at the first one, and knocked at, ever
 * more slowly, until it opens; only then does traffic meet it again.
 */
export class Reachability {
  private readonly clock: Clock;
  private readonly prober: Prober;
  private readonly onChange: (member: Member, isReachable: boolean) => void;
  private readonly knocking = new Map<Member, () => void>();
  private isClosed = false;

  constructor(clock: Clock, prober: Prober, onChange: (member: Member, isReachable: boolean) => void) {
    this.clock = clock;
    this.prober = prober;
    this.onChange = onChange;
  }

  /** Told of a connection that could not be made. */
  failed(member: Member): void {
    if (member.isUnreachable || this.isClosed) return;
    member.isUnreachable = true;
    this.onChange(member, false);
    this.knockAfter(member, FIRST_KNOCK_MS);
  }

  /**
   * Nobody vouches for it any more: it is out until it is found to accept a connection, which is tried at once.
   * @param place among those that are doubted together: thousands of connections at once would hold up the loop
   */
  doubt(member: Member, place: number): void {
    if (member.isUnreachable || this.isClosed) return;
    member.isUnreachable = true;
    this.onChange(member, false);
    this.knockAfter(member, place < AT_ONCE ? 0 : place / A_MS);
  }

  /** A connection broke: looks at once whether anybody is still there, before another request has to find out. */
  suspect(member: Member): void {
    if (!this.isClosed && !member.isUnreachable && !this.knocking.has(member)) this.knockAfter(member, 0);
  }

  /** It answered. */
  succeeded(member: Member): void {
    if (member.isUnreachable) this.returned(member);
  }

  forget(member: Member): void {
    this.knocking.get(member)?.();
    this.knocking.delete(member);
  }

  close(): void {
    this.isClosed = true;
    for (const member of this.knocking.keys()) this.forget(member);
  }

  private knockAfter(member: Member, delayMs: number): void {
    const jittered = delayMs * (0.8 + Math.random() * 0.4);
    this.knocking.set(
      member,
      this.clock.after(jittered, () => void this.knock(member, delayMs)),
    );
  }

  private async knock(member: Member, delayMs: number): Promise<void> {
    const isOpen = await this.prober.canConnect(member, KNOCK_TIMEOUT_MS);
    if (!this.knocking.has(member)) return;
    if (isOpen) {
      this.knocking.delete(member);
      if (member.isUnreachable) this.returned(member);
      return;
    }
    if (!member.isUnreachable) {
      member.isUnreachable = true;
      this.onChange(member, false);
    }
    this.knockAfter(member, Math.min(LAST_KNOCK_MS, Math.max(FIRST_KNOCK_MS, delayMs * 2)));
  }

  private returned(member: Member): void {
    this.forget(member);
    member.isUnreachable = false;
    this.onChange(member, true);
  }
}
