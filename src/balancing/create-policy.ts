import { createKeyFinder } from "./hash-key.ts";
import { LeastBusy } from "./least-busy.ts";
import { Maglev, MaglevTable } from "./maglev.ts";
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
  const tables = new Map<string, MaglevTable>();
  return (candidates, slot) => {
    let table = tables.get(slot);
    if (table === undefined || !table.isFor(candidates.offered)) {
      table = new MaglevTable(candidates.offered);
      tables.set(slot, table);
    }
    return new Maglev(candidates, table, findKey, hash.bound ?? 1.25);
  };
}
