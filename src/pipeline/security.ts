import { GatewayError } from "../core/errors.ts";
import { compose, type Handler, type Next } from "../core/exchange.ts";
import type { Operation, SecurityRequirement, SecurityScheme } from "../core/operation.ts";
import type { Step } from "./order.ts";

/** What enforces one security scheme of the spec. */
export interface Enforcer {
  readonly scheme: SecurityScheme | undefined;
  /** "upstream": the service checks this scheme and its scopes itself. */
  readonly step: Step | "upstream";
}

type Enforcers = ReadonlyMap<string, Enforcer>;

/**
 * The steps for the `security` of an operation: every scheme of a requirement (and), any requirement (or), `{}` for
 * anonymous access; scopes after the scheme that grants them. OpenAPI 3.2 §4.30.
 * @param enforcers one for each scheme that the operation names; a scheme without one admits nobody
 */
export function createSecuritySteps(operation: Operation, enforcers: Enforcers): Step[] {
  // Anonymous access last: written first, it would leave credentials unread, and hand them to the upstream.
  const requirements = [...operation.security].sort((a, b) => Number(a.length === 0) - Number(b.length === 0));
  const alternatives = requirements.map((requirement) => toAlternative(requirement, enforcers));
  const [only] = alternatives;
  if (only === undefined) return [];
  if (alternatives.length === 1) return only.steps.map((step) => ({ ...step, phase: "authenticate" }));
  return [{ phase: "authenticate", name: alternatives.map(nameOf).join(" or "), handler: admitByAny(alternatives) }];
}

interface Alternative {
  readonly steps: readonly Step[];
  readonly handler: Handler;
}

const nameOf = ({ steps }: Alternative): string => steps.map(({ name }) => name).join(" and ") || "anonymous";

/** Scopes are held against the credential of their own scheme, so they follow it at once. */
function toAlternative(requirement: SecurityRequirement, enforcers: Enforcers): Alternative {
  const steps = requirement.flatMap(({ scheme, scopes }): Step[] => {
    const enforcer = enforcers.get(scheme);
    if (enforcer?.step === "upstream") return [];
    const step = enforcer?.step ?? refuse;
    return scopes.length === 0 ? [step] : [step, requireScopes(scopes, enforcer?.scheme)];
  });
  const handlers = steps.map(({ handler }) => handler);
  const [first] = handlers;
  const isSingle = first !== undefined && handlers.length === 1;
  return { steps, handler: isSingle ? first : (exchange, next) => compose(handlers, next)(exchange) };
}

function admitByAny(alternatives: readonly Alternative[]): Handler {
  return async function authenticateByAny(exchange, next) {
    const refusals: GatewayError[] = [];
    const { request } = exchange;
    for (const { steps, handler } of alternatives) {
      // A wrong credential is refused even where none is needed: who sent it believes to be somebody.
      if (steps.length === 0 && refusals.some((refusal) => rank(refusal) > 0)) continue;
      let isAdmitted = false;
      const admitted: Next = (passed) => {
        isAdmitted = true;
        return next(passed);
      };
      // A scheme that holds takes its credential out of the request; when the scheme after it refuses, it is put back.
      const before = steps.length > 1 ? { headers: request.headers.clone(), query: request.query } : undefined;
      try {
        return await handler(exchange, admitted);
      } catch (error) {
        // Only a refusal of the credential itself lets the next alternative try: a plugin that broke never does.
        const isRefusal = error instanceof GatewayError && (error.status === 401 || error.status === 403);
        if (isAdmitted || !isRefusal) throw error;
        refusals.push(error);
        exchange.consumer = undefined;
        if (before !== undefined) Object.assign(request, before);
      }
    }
    throw mostTelling(refusals);
  };
}

const refuse: Step = {
  phase: "authenticate",
  name: "refuse",
  handler() {
    throw new GatewayError("CREDENTIALS_MISSING", "nothing enforces a scheme of this operation");
  },
};

function requireScopes(scopes: readonly string[], scheme: SecurityScheme | undefined): Step {
  const isBearer = scheme?.type === "oauth2" || scheme?.type === "openIdConnect" || scheme?.scheme === "bearer";
  const challenge = `Bearer error="insufficient_scope", scope="${scopes.join(" ")}"`;
  return {
    phase: "authenticate",
    name: `scopes ${scopes.join(" ")}`,
    handler: async function authorizeScopes(exchange, next) {
      const granted = exchange.consumer?.scopes;
      for (const scope of scopes) {
        if (granted?.has(scope)) continue;
        const missing = scopes.filter((each) => !granted?.has(each));
        const options = isBearer ? { headers: { "WWW-Authenticate": challenge } } : {};
        throw new GatewayError("SCOPE_MISSING", `needs ${missing.join(", ")}`, options);
      }
      return next(exchange);
    },
  };
}

/** Of several refusals: 403 tells more than 401, and a wrong credential more than a missing one. */
const rank = (error: GatewayError): number => (error.status === 403 ? 2 : error.code.endsWith("_MISSING") ? 0 : 1);

/** The most telling refusal; a 401 names the challenge of every alternative (RFC 9110 §11.6.1). */
function mostTelling(refusals: readonly GatewayError[]): GatewayError {
  const [best] = [...refusals].sort((a, b) => rank(b) - rank(a)) as [GatewayError];
  if (best.status !== 401) return best;
  const challenges = new Set(refusals.flatMap((error) => error.headers?.["WWW-Authenticate"] ?? []));
  return new GatewayError(best.code, best.message, {
    cause: best.cause,
    headers: { ...best.headers, "WWW-Authenticate": [...challenges] },
    ...(best.extensions && { extensions: best.extensions }),
  });
}
