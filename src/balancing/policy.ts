import type { Exchange } from "../core/exchange.ts";
import type { Member } from "./member.ts";

/** Chooses among candidates. Built anew when they change, so that choosing allocates nothing and filters nothing. */
export interface Policy {
  /** @param round 0 for the first choice; a higher one asks for another, which may still be the same */
  pick(exchange: Exchange, round: number): Member;
}

/** What a policy is built from. */
export interface Candidates {
  /** Those that may be chosen; never empty. */
  readonly members: readonly Member[];
  /** All that discovery offers, chosen or not: hashing places keys by these, so that one that falls out moves only its own. */
  readonly offered: readonly Member[];
  /** The whole service's, kept up to date. */
  readonly load: { readonly inFlight: number };
}

export const haveEqualWeights = (members: readonly Member[]): boolean => {
  const first = members[0]?.weight;
  return members.every(({ weight }) => weight === first);
};
