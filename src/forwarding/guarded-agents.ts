import { type Agent, Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { type AddressGuard, createGuardedLookup, findRefusalOfLiteral, refuseAddress } from "../core/address-guard.ts";

/** Agents of `node:http` whose connections the guard is asked about; one for each scheme and port. */
export class GuardedAgents {
  private readonly agents = new Map<string, Agent>();
  private readonly guard: AddressGuard | undefined;
  private readonly servername: string | undefined;

  /** @param servername sent and checked instead of the host (SNI) */
  constructor(guard: AddressGuard | undefined, servername: string | undefined) {
    this.guard = guard;
    this.servername = servername;
  }

  /** @throws UPSTREAM_ADDRESS_REFUSED for a literal address; a name is refused as it is resolved */
  for(url: URL): Agent {
    const isSecure = url.protocol === "https:";
    const port = Number(url.port) || (isSecure ? 443 : 80);
    const { guard, servername } = this;
    const refusal = guard && findRefusalOfLiteral(guard, url.hostname.replace(/^\[|\]$/g, ""), port);
    if (refusal !== undefined) throw refuseAddress(refusal);
    const key = `${url.protocol}${port}`;
    let agent = this.agents.get(key);
    if (agent === undefined) {
      const lookup = guard && { lookup: createGuardedLookup(guard, port) };
      agent = isSecure
        ? new HttpsAgent({ ...lookup, ...(servername === undefined ? {} : { servername }) })
        : new HttpAgent({ ...lookup });
      this.agents.set(key, agent);
    }
    return agent;
  }
}
