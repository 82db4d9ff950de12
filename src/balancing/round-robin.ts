import type { Member } from "./member.ts";
import { haveEqualWeights, type Policy } from "./policy.ts";

/** In turn; by weight, smoothly: each member gets its share within one request of exact, and never a burst. */
export const createRoundRobin = (members: readonly Member[]): Policy =>
  haveEqualWeights(members) ? new Rotation(members) : new EarliestDeadline(members);

class Rotation implements Policy {
  private readonly members: readonly Member[];
  private turn: number;

  constructor(members: readonly Member[]) {
    this.members = members;
    // Many gateways, or many rebuilds, would otherwise all begin with the first.
    this.turn = Math.floor(Math.random() * members.length);
  }

  pick(): Member {
    const { members } = this;
    this.turn = this.turn + 1 < members.length ? this.turn + 1 : 0;
    return members[this.turn] as Member;
  }
}

/**
 * Earliest deadline first, as Envoy does: each pick moves a member's deadline by 1/weight. A binary heap in two typed
 * arrays: log n steps a pick, where nginx's smooth weighted round robin takes n.
 */
class EarliestDeadline implements Policy {
  private readonly members: readonly Member[];
  private readonly heap: Int32Array;
  private readonly deadlines: Float64Array;
  private readonly steps: Float64Array;

  constructor(members: readonly Member[]) {
    const n = members.length;
    this.members = members;
    this.steps = Float64Array.from(members, ({ weight }) => 1 / weight);
    this.deadlines = this.steps.map((step) => step * Math.random());
    this.heap = Int32Array.from({ length: n }, (_, i) => i);
    for (let i = (n >> 1) - 1; i >= 0; i--) this.sink(i);
  }

  pick(): Member {
    const first = this.heap[0] as number;
    this.deadlines[first] = (this.deadlines[first] as number) + (this.steps[first] as number);
    this.sink(0);
    return this.members[first] as Member;
  }

  private sink(at: number): void {
    const { heap, deadlines } = this;
    const moved = heap[at] as number;
    const deadline = deadlines[moved] as number;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      const right = child + 1;
      if (right < heap.length && this.deadlineAt(right) < this.deadlineAt(child)) child = right;
      if (deadline <= this.deadlineAt(child)) break;
      heap[at] = heap[child] as number;
      at = child;
    }
    heap[at] = moved;
  }

  private deadlineAt(position: number): number {
    return this.deadlines[this.heap[position] as number] as number;
  }
}
