import { createKeyFinder } from "./hash-key.ts";
import { LeastBusy } from "./least-busy.ts";
import { Maglev } from "./maglev.ts";
import { HashTableKeeper } from "./maglev-table.ts";
import type { BalanceOptions } from "./options.ts";
import { PeakEwma } from "./peak-ewma.ts";
import type { Candidates, Policy } from "./policy.ts";
import { RandomChoice } from "./random.ts";
import { createRoundRobin } from "./round-robin.ts";
import { cookieNameOf, Sticky } from "./sticky.ts";

/** How a service's policy is built, again and again. @returns a factory; its slot tells one group of candidates from another */
export function createPolicyFactory(options: BalanceOptions): (candidates: Candidates, slot: string) => Policy {
  switch (options.policy) {
    case "round-robin":
      return ({ members }) => createRoundRobin(members);
    case "random":
      return ({ members }) => new RandomChoice(members);
    case "peak-ewma":
      return ({ members }) => new PeakEwma(members);
    case "hash":
      return createMaglevFactory(options);
    case "sticky":
      return ({ members }) => new Sticky(members, cookieNameOf(options));
    default:
      return ({ members }) => new LeastBusy(members);
  }
}

function createMaglevFactory({ hash = {} }: BalanceOptions): (candidates: Candidates, slot: string) => Policy {
  const findKey = createKeyFinder(hash);
  const keepers = new Map<string, HashTableKeeper>();
  return (candidates, slot) => {
    let keeper = keepers.get(slot);
    if (keeper === undefined) {
      keeper = new HashTableKeeper();
      keepers.set(slot, keeper);
    }
    return new Maglev(candidates, keeper, findKey, hash.bound ?? 1.25);
  };
}
