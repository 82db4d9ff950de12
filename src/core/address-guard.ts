import { lookup as systemLookup } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import { GatewayError } from "./errors.ts";

/**
 * Says why an address that is about to be connected to may not be, or undefined.
 * @param host as the instance's URL names it
 */
export type AddressGuard = (host: string, address: string, port: number) => string | undefined;

/** Of a literal address, which no look-up will ask about. @returns undefined for a name, too: its look-up asks */
export const findRefusalOfLiteral = (guard: AddressGuard, host: string, port: number): string | undefined =>
  isIP(host) === 0 ? undefined : guard(host, host, port);

/** The system's look-up, less what the guard refuses: asked for each connection, so that no name can be rebound (ATTACKS 52). */
export function createGuardedLookup(guard: AddressGuard, port: number): LookupFunction {
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
      if (first === undefined) callback(refuseAddress(refusal ?? "the name has no address"), "", 0);
      else if (options.all === true) callback(null, allowed);
      else callback(null, first.address, first.family);
    });
  };
}

export const refuseAddress = (why: string): GatewayError & NodeJS.ErrnoException =>
  new GatewayError("UPSTREAM_ADDRESS_REFUSED", `the gateway does not connect there: ${why}`);
