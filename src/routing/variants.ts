import type { Operation, Parameter } from "../core/operation.ts";
import { type Domain, isDisjoint, toDomain } from "./domain.ts";

/** What of a request a match may look at beyond its path. */
export interface Asked {
  readonly query: string;
  readonly headers: { get(name: string): string | undefined };
}

/** One of several operations of the same method whose templates differ in names only. */
export interface Variant {
  /** Of each path parameter, in the order of the template. */
  readonly path: readonly Domain[];
  /** Required parameters elsewhere that only a few values fit, and what the template has after a `?`. */
  readonly conditions: readonly Condition[];
}
interface Condition {
  readonly in: "query" | "header";
  readonly name: string;
  readonly domain: Domain;
}

/** @param names of the path parameters, in the order of the template */
export function toVariant(operation: Operation, names: readonly string[]): Variant {
  const find = (name: string): Parameter | undefined =>
    operation.parameters.find((parameter) => parameter.in === "path" && parameter.name === name);
  const conditions: Condition[] = [];
  for (const parameter of operation.parameters) {
    if (!parameter.required || (parameter.in !== "query" && parameter.in !== "header")) continue;
    const domain = toDomain(operation, parameter);
    if (domain.values !== undefined) conditions.push({ in: parameter.in, name: parameter.name, domain });
  }
  return {
    path: names.map((name) => toDomain(operation, find(name))),
    conditions: [...conditions, ...templateConditions(operation.path)],
  };
}

/** `/bucket?acl` and `/items?type=book` are no templates of OpenAPI, yet documents have them and they are plain enough. */
function templateConditions(template: string): Condition[] {
  const question = template.indexOf("?");
  if (question < 0) return [];
  return [...new URLSearchParams(template.slice(question + 1).replace(/#.*$/s, ""))]
    .filter(([, value]) => !value.includes("{"))
    .map(([name, value]): Condition => {
      const values = value === "" ? undefined : new Set([value]);
      return { in: "query", name, domain: { rank: 0, values, test: (text) => value === "" || text === value } };
    });
}

/** @returns undefined when no request could be of both, or when it is clear which one is meant */
export function findAmbiguity(a: Variant, b: Variant): string | undefined {
  if (a.path.some((domain, i) => isDisjoint(domain, b.path[i] as Domain))) return undefined;
  if (a.path.some((domain, i) => domain.rank !== (b.path[i] as Domain).rank)) return undefined;
  for (const condition of a.conditions) {
    const other = b.conditions.find((c) => c.in === condition.in && c.name === condition.name);
    if (other === undefined || isDisjoint(condition.domain, other.domain)) return undefined;
  }
  return b.conditions.length > a.conditions.length ? undefined : "their parameters allow the same values";
}

/** The narrower first: what asks for more is meant when it is met. */
export function compareVariants(a: Variant, b: Variant): number {
  for (let i = 0; i < a.path.length; i++) {
    const difference = (a.path[i] as Domain).rank - (b.path[i] as Domain).rank;
    if (difference !== 0) return difference;
  }
  return b.conditions.length - a.conditions.length;
}

export function fits(variant: Variant, values: readonly string[], asked: Asked | undefined): boolean {
  if (!variant.path.every((domain, i) => domain.test(values[i] as string))) return false;
  if (variant.conditions.length === 0) return true;
  const query = new URLSearchParams(asked?.query);
  return variant.conditions.every((condition) => {
    const text =
      condition.in === "query" ? query.get(condition.name) : asked?.headers.get(condition.name.toLowerCase());
    return text !== null && text !== undefined && condition.domain.test(text);
  });
}
