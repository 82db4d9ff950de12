import { defineExchangeKey, type Handler } from "../core/exchange.ts";
import type { Operation, SecurityScheme } from "../core/operation.ts";
import type { Step } from "../pipeline/order.ts";
import { isWithheld } from "./read-request.ts";

/** Name, value, name, value … of fields that go no further by themselves: see {@link RequestHead.withheld}. */
export const WITHHELD_FIELDS = defineExchangeKey<readonly string[]>("withheld-fields");

/**
 * Gives back those withheld fields that the spec declares (`api_key`, `X-HTTP-Method-Override`), as parameters of the
 * operation or in its security. What a CGI server would take for a field that only the gateway or a plugin may write stays
 * away. ATTACKS 17 and 18.
 * @returns undefined where the operation declares none
 */
export function createWithheldFields(
  operation: Operation,
  schemes: ReadonlyMap<string, SecurityScheme>,
  steps: readonly Step[],
): Handler | undefined {
  const owned = new Set(steps.flatMap(({ identityHeaders = [] }) => identityHeaders.map((name) => name.toLowerCase())));
  const declared = new Set(
    headerNames(operation, schemes).filter((name) => isWithheld(name) && !owned.has(name.replaceAll("_", "-"))),
  );
  if (declared.size === 0) return undefined;
  return function restoreDeclared(exchange, next) {
    const fields = exchange.get(WITHHELD_FIELDS) ?? [];
    for (let i = 0; i < fields.length; i += 2) {
      const name = fields[i] as string;
      if (declared.has(name.toLowerCase())) exchange.request.headers.append(name, fields[i + 1] as string);
    }
    return next(exchange);
  };
}

function headerNames({ parameters, security }: Operation, schemes: ReadonlyMap<string, SecurityScheme>): string[] {
  const names = parameters.filter((parameter) => parameter.in === "header").map(({ name }) => name);
  for (const { scheme } of security.flat()) {
    const { in: where, parameterName } = schemes.get(scheme) ?? {};
    if (where === "header" && parameterName !== undefined) names.push(parameterName);
  }
  return names.map((name) => name.toLowerCase());
}
