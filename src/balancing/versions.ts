import type { Exchange } from "../core/exchange.ts";
import { parsePercent } from "../core/units.ts";
import { hash } from "./hash-key.ts";
import type { VersionRule } from "./options.ts";

interface CompiledRule {
  readonly version: string;
  /** Lower-cased name and wanted value. */
  readonly headers: readonly (readonly [string, string])[];
  readonly share: number;
}

/** Which version a request gets: the first rule whose header it carries, else by share, the same one for the same caller. */
export class VersionRules {
  readonly versions: ReadonlySet<string>;
  private readonly rules: readonly CompiledRule[];

  constructor(rules: readonly VersionRule[]) {
    this.versions = new Set(rules.map(({ version }) => version));
    this.rules = rules.map(({ version, header = {}, percent = "0%" }) => ({
      version,
      headers: Object.entries(header).map(([name, value]) => [name.toLowerCase(), value] as const),
      share: parsePercent(percent),
    }));
  }

  /** @returns undefined for the versions that no rule names */
  versionFor(exchange: Exchange): string | undefined {
    for (const { version, headers } of this.rules) {
      if (headers.length > 0 && headers.every(([name, value]) => carries(exchange, name, value))) return version;
    }
    let point = hash(exchange.consumer?.name ?? exchange.client.address, 2) / 2 ** 32;
    for (const { version, share } of this.rules) {
      if (point < share) return version;
      point -= share;
    }
    return undefined;
  }
}

function carries(exchange: Exchange, name: string, value: string): boolean {
  const found = exchange.request.headers.get(name);
  return found !== undefined && (value === "*" || found === value);
}
