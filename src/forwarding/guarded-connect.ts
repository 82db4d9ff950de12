import { isIP } from "node:net";
import type { buildConnector } from "undici";
import { type AddressGuard, createGuardedLookup, findRefusalOfLiteral, refuseAddress } from "../core/address-guard.ts";
import { lazyPackage } from "../core/lazy.ts";

const undici = lazyPackage<typeof import("undici")>("undici");

/** undici's connector that asks the guard about each address: of a name, those that it resolves to for this very connection. */
export function createGuardedConnect(
  options: buildConnector.BuildOptions,
  guard: AddressGuard,
): buildConnector.connector {
  const { buildConnector } = undici();
  const connectLiteral = buildConnector(options);
  const connectors = new Map<string, buildConnector.connector>();

  return function connect(target, callback) {
    const host = target.hostname.replace(/^\[|\]$/g, "");
    const port = Number(target.port || (target.protocol === "https:" ? 443 : 80));
    if (isIP(host) === 0) {
      const key = `${host}:${port}`;
      let connector = connectors.get(key);
      if (connector === undefined) {
        connector = buildConnector({ ...options, lookup: createGuardedLookup(guard, port) });
        connectors.set(key, connector);
      }
      connector(target, callback);
      return;
    }
    const refusal = findRefusalOfLiteral(guard, host, port);
    if (refusal === undefined) connectLiteral(target, callback);
    else callback(refuseAddress(refusal), null);
  };
}
