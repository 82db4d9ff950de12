import { lookup as systemLookup } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import { buildConnector } from "undici";
import { GatewayError } from "../core/errors.ts";

/**
 * Says why an address that is about to be connected to may not be, or undefined.
 * @param host as the instance's URL names it
 */
export type AddressGuard = (host: string, address: string, port: number) => string | undefined;

/** undici's connector that asks the guard about each address: of a name, those that it resolves to for this very connection. */
export function createGuardedConnect(
  options: buildConnector.BuildOptions,
  guard: AddressGuard,
): buildConnector.connector {
  const connectLiteral = buildConnector(options);
  const connectors = new Map<string, buildConnector.connector>();

  return function connect(target, callback) {
    const host = target.hostname.replace(/^\[|\]$/g, "");
    const port = Number(target.port || (target.protocol === "https:" ? 443 : 80));
    if (isIP(host) === 0) {
      const key = `${host}:${port}`;
      let connector = connectors.get(key);
      if (connector === undefined) {
        connector = buildConnector({ ...options, lookup: guardedLookup(guard, port) });
        connectors.set(key, connector);
      }
      connector(target, callback);
      return;
    }
    const refusal = guard(host, host, port);
    if (refusal === undefined) connectLiteral(target, callback);
    else callback(refused(refusal), null);
  };
}

function guardedLookup(guard: AddressGuard, port: number): LookupFunction {
  return (host, options, callback) => {
    systemLookup(host, { ...options, all: true }, (error, addresses) => {
      if (error !== null) {
        callback(error, "", 0);
        return;
      }
      let refusal: string | undefined;
      const allowed = addresses.filter(({ address }) => {
        const why = guard(host, address, port);
        refusal ??= why;
        return why === undefined;
      });
      const first = allowed[0];
      if (first === undefined) callback(refused(refusal ?? "the name has no address"), "", 0);
      else if (options.all === true) callback(null, allowed);
      else callback(null, first.address, first.family);
    });
  };
}

const refused = (why: string): GatewayError & NodeJS.ErrnoException =>
  new GatewayError("UPSTREAM_ADDRESS_REFUSED", `the gateway does not connect there: ${why}`);
