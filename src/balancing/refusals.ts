import type { Clock } from "../core/clock.ts";
import { GatewayError } from "../core/errors.ts";
import type { Breaker } from "./breaker.ts";
import type { Member } from "./member.ts";

/** Why none of a service's members could be chosen for a first try. */
export function whyNone(service: string, members: readonly Member[], clock: Clock): GatewayError {
  const offered = members.filter(({ isOffered }) => isOffered);
  if (members.length === 0)
    return new GatewayError("NO_INSTANCE", `no instance of ${service} is known; is one registered?`);
  if (offered.length === 0)
    return new GatewayError("NO_INSTANCE", `every instance of ${service} is draining, down or of weight 0`);
  const opened = offered.find(({ breaker }) => breaker !== undefined && breaker.state !== "closed")?.breaker;
  return opened === undefined ? busy(service) : circuitOpen(service, opened, clock);
}

export const busy = (service: string): GatewayError =>
  new GatewayError("UPSTREAM_BUSY", `${service} has all the requests it may have at once`, {
    headers: { "Retry-After": "1" },
  });

export function circuitOpen(service: string, breaker: Breaker, clock: Clock): GatewayError {
  const seconds = Math.max(1, Math.ceil((breaker.opensUntilMs - clock.monotonicMs()) / 1_000));
  return new GatewayError("CIRCUIT_OPEN", `too many requests to ${service} failed; it is left alone for a while`, {
    headers: { "Retry-After": String(seconds) },
  });
}
