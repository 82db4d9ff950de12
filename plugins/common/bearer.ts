import { type Exchange, GatewayError } from "../../src/plugin.ts";

/** The challenge of RFC 6750 §3: without an error code when no token came at all. */
export const bearerChallenge = (error?: string, description?: string): Readonly<Record<string, string>> => ({
  "WWW-Authenticate":
    error === undefined
      ? 'Bearer realm="portico"'
      : `Bearer realm="portico", error="${error}", error_description="${description}"`,
});

export const tokenMissing = (): GatewayError =>
  new GatewayError("TOKEN_MISSING", "send Authorization: Bearer <token>", { headers: bearerChallenge() });

/** @param reason is shown to the client: no secrets, no quotes */
export const tokenInvalid = (reason: string, cause?: unknown): GatewayError =>
  new GatewayError("TOKEN_INVALID", reason, { headers: bearerChallenge("invalid_token", reason), cause });

/**
 * The `Authorization` field when it carries a bearer token, whole: as a key of a map it needs no copy.
 * @throws GatewayError 401 when there are two fields, of whatever scheme. ATTACKS 35.
 */
export function findBearerField(exchange: Exchange): string | undefined {
  const { headers } = exchange.request;
  const field = headers.get("authorization");
  if (field === undefined) return undefined;
  if (headers.isRepeated("authorization")) throw tokenInvalid("send one Authorization field");
  return isBearer(field) ? field : undefined;
}

export const isBearer = (field: string): boolean => field.length > 7 && field.slice(0, 7).toLowerCase() === "bearer ";
export const tokenOf = (field: string): string => field.slice(7).trim();
