import type { Exchange } from "../core/exchange.ts";
import { parsePercent } from "../core/units.ts";
import { hash } from "./hash-key.ts";
import type { VersionRule } from "./options.ts";

interface CompiledRule {
  readonly version: string;
  /** Lower-cased name and wanted value. */
  readonly headers: readonly (readonly [string, string])[];
  readonly share: number;
  readonly isByAddress: boolean;
}

/** Which version a request gets: the first rule whose header it carries, else by share. */
export class VersionRules {
  readonly versions: ReadonlySet<string>;
  private readonly rules: readonly CompiledRule[];

  constructor(rules: readonly VersionRule[]) {
    this.versions = new Set(rules.map(({ version }) => version));
    this.rules = rules.map(({ version, header = {}, percent = "0%", by }) => ({
      version,
      isByAddress: by === "address",
      headers: Object.entries(header).map(([name, value]) => [name.toLowerCase(), value] as const),
      share: parsePercent(percent),
    }));
  }

  /** @returns undefined for the versions that no rule names */
  versionFor(exchange: Exchange): string | undefined {
    for (const { version, headers } of this.rules) {
      if (headers.length > 0 && headers.every(([name, value]) => carries(exchange, name, value))) return version;
    }
    const { consumer, client } = exchange;
    const chance = consumer === undefined ? Math.random() : pointOf(consumer.name);
    let from = 0;
    for (const { version, share, isByAddress } of this.rules) {
      const point = isByAddress && consumer === undefined ? pointOf(client.address) : chance;
      if (point >= from && point < from + share) return version;
      from += share;
    }
    return undefined;
  }
}

/** The same one each time, between 0 and 1. */
const pointOf = (caller: string): number => hash(caller, 2) / 2 ** 32;

function carries(exchange: Exchange, name: string, value: string): boolean {
  const found = exchange.request.headers.get(name);
  return found !== undefined && (value === "*" || found === value);
}
