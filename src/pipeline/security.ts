import { GatewayError } from "../core/errors.ts";
import { compose, type Handler, type Next } from "../core/exchange.ts";
import type { Operation, SecurityRequirement } from "../core/operation.ts";

/**
 * One handler for the `security` of an operation: every scheme of a requirement (and), any requirement (or), `{}` for
 * anonymous access; then the scopes. OpenAPI 3.2 §4.30.
 * @param enforcers a handler for each scheme that the operation names
 */
export function createSecurityHandler(
  operation: Operation,
  enforcers: ReadonlyMap<string, Handler>,
): Handler | undefined {
  if (operation.security.length === 0) return undefined;
  const alternatives = operation.security.map((requirement) => requirementHandler(requirement, enforcers));
  const [only] = alternatives;
  if (alternatives.length === 1 && only !== undefined) return only;

  return async function authenticateByAny(exchange, next) {
    let refusal: unknown;
    for (const alternative of alternatives) {
      let isAdmitted = false;
      const admitted: Next = (passed) => {
        isAdmitted = true;
        return next(passed);
      };
      try {
        return await alternative(exchange, admitted);
      } catch (error) {
        // Only a refusal of the credential itself lets the next alternative try: a plugin that broke never does.
        if (isAdmitted || !(error instanceof GatewayError) || (error.status !== 401 && error.status !== 403))
          throw error;
        refusal = moreTelling(refusal, error);
        exchange.consumer = undefined;
      }
    }
    throw refusal;
  };
}

/** Of two refusals, 403 tells more than 401, and a wrong credential more than a missing one. */
const rank = (error: GatewayError): number => (error.status === 403 ? 2 : error.code.endsWith("_MISSING") ? 0 : 1);
const moreTelling = (known: unknown, error: GatewayError): GatewayError =>
  known instanceof GatewayError && rank(known) >= rank(error) ? known : error;

function requirementHandler(requirement: SecurityRequirement, enforcers: ReadonlyMap<string, Handler>): Handler {
  const scopes = requirement.flatMap((part) => part.scopes);
  const handlers = requirement.map(({ scheme }) => enforcers.get(scheme) ?? refuse);
  if (scopes.length > 0) handlers.push(requireScopes(scopes));
  return (exchange, next) => compose(handlers, next)(exchange);
}

const refuse: Handler = async () => {
  throw new GatewayError("CREDENTIALS_MISSING", "nothing enforces a scheme of this operation");
};

function requireScopes(scopes: readonly string[]): Handler {
  return async function authorizeScopes(exchange, next) {
    const granted = exchange.consumer?.scopes;
    const missing = scopes.filter((scope) => !granted?.has(scope));
    if (missing.length === 0) return next(exchange);
    throw new GatewayError("SCOPE_MISSING", `needs ${missing.join(", ")}`, {
      headers: { "WWW-Authenticate": `Bearer error="insufficient_scope", scope="${scopes.join(" ")}"` },
    });
  };
}
