import type { Member } from "./member.ts";
import { haveEqualWeights, type Policy } from "./policy.ts";

/** By chance, by weight, in constant time: Vose's alias method. */
export class RandomChoice implements Policy {
  private readonly members: readonly Member[];
  /** For each column, the chance that it stands for itself; undefined when all weights are equal. */
  private readonly chances: Float64Array | undefined;
  private readonly aliases: Int32Array;

  constructor(members: readonly Member[]) {
    const n = members.length;
    this.members = members;
    this.aliases = new Int32Array(n);
    if (haveEqualWeights(members)) {
      this.chances = undefined;
      return;
    }
    const total = members.reduce((sum, { weight }) => sum + weight, 0);
    const scaled = Float64Array.from(members, ({ weight }) => (weight * n) / total);
    this.chances = new Float64Array(n).fill(1);
    const small: number[] = [];
    const large: number[] = [];
    scaled.forEach((share, i) => {
      (share < 1 ? small : large).push(i);
    });
    for (let less = small.pop(), more = large.pop(); less !== undefined && more !== undefined; less = small.pop()) {
      this.chances[less] = scaled[less] as number;
      this.aliases[less] = more;
      scaled[more] = (scaled[more] as number) + (scaled[less] as number) - 1;
      if ((scaled[more] as number) >= 1) continue;
      small.push(more);
      more = large.pop();
    }
  }

  pick(): Member {
    const { members, chances } = this;
    const column = Math.floor(Math.random() * members.length);
    if (chances === undefined || Math.random() < (chances[column] as number)) return members[column] as Member;
    return members[this.aliases[column] as number] as Member;
  }
}
