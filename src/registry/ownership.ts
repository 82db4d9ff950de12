import { GatewayError } from "../core/errors.ts";
import type { Registration } from "./registration.ts";
import type { Actor } from "./registry.ts";

/** An instance belongs to the token that registered it. @throws FORBIDDEN */
export function assertOwner(registration: Registration, actor: Actor): void {
  if (actor.isOperator || registration.owner === undefined || registration.owner === actor.owner) return;
  throw new GatewayError("FORBIDDEN", "the instance was registered with another token");
}

export const unknownInstance = (): GatewayError =>
  new GatewayError("INSTANCE_UNKNOWN", "no such instance, or its lease has ended: register it again");
