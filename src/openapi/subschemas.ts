import { isObject, type Json, toList, toObject, toToken } from "./json.ts";

export const SINGLE = new Set(
  (
    "items additionalItems additionalProperties unevaluatedItems unevaluatedProperties contains propertyNames " +
    "not if then else contentSchema"
  ).split(" "),
);
export const LIST = new Set(["allOf", "anyOf", "oneOf", "prefixItems", "items"]);
export const MAP = new Set(["properties", "patternProperties", "dependentSchemas", "dependencies"]);
/** Those that look at the same value as the schema they stand in. */
const IN_PLACE = new Set(["allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "dependencies"]);

/** Calls back for each schema directly inside one. */
export function eachSubschema(schema: Json, visit: (subschema: unknown, keyword: string) => void): void {
  for (const keyword in schema) {
    const value = schema[keyword];
    if (Array.isArray(value)) {
      if (LIST.has(keyword)) for (const item of value) visit(item, keyword);
    } else if (isObject(value)) {
      if (SINGLE.has(keyword)) visit(value, keyword);
      else if (MAP.has(keyword)) for (const name in value) visit(value[name], keyword);
    }
  }
}

type Find = (reference: string) => unknown;

/** A named schema, whole or without the choice (`oneOf`, `anyOf`) that it offers. */
export interface Visited {
  readonly reference: string;
  readonly isBase: boolean;
}
interface Edge {
  readonly reference: string;
  readonly isInAllOf: boolean;
}

/** The references that a schema applies to the very value that it looks at itself. */
export function inPlaceEdges(schema: unknown, isInAllOf = false, found: Edge[] = []): Edge[] {
  if (!isObject(schema)) return found;
  for (const key of ["$ref", "$dynamicRef", "$recursiveRef"]) {
    const reference = schema[key];
    if (typeof reference === "string") found.push({ reference, isInAllOf });
  }
  eachSubschema(schema, (subschema, keyword) => {
    if (IN_PLACE.has(keyword)) inPlaceEdges(subschema, keyword === "allOf", found);
  });
  return found;
}

/**
 * Whether a schema that has the other in its `allOf` means the other's base alone: a base class lists its children as
 * `oneOf`, and they have it in `allOf`. Read to the letter, that is a circle without end.
 */
export function meansBase(holder: string, reference: string, find: Find): boolean {
  const target = find(reference);
  if (!isObject(target)) return false;
  const { oneOf, anyOf } = target;
  if (oneOf === undefined && anyOf === undefined) return false;
  const seen = new Set<string>();
  const queue = inPlaceEdges({ oneOf, anyOf }).map((edge) => edge.reference);
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    if (next === holder) return true;
    if (seen.has(next)) continue;
    seen.add(next);
    for (const edge of inPlaceEdges(find(next))) queue.push(edge.reference);
  }
  return false;
}

export const withoutChoice = (schema: unknown): unknown => {
  if (!isObject(schema)) return schema;
  const { oneOf: _one, anyOf: _any, discriminator: _discriminator, ...base } = schema;
  return base;
};

/** @returns whether following in-place references from one leads to the other: a circle that would never end */
export function leadsTo(from: Visited, to: Visited, find: Find): boolean {
  const seen = new Set<string>();
  const queue = [from];
  for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
    if (node.reference === to.reference && node.isBase === to.isBase) return true;
    const key = `${node.reference} ${node.isBase}`;
    if (seen.has(key)) continue;
    seen.add(key);
    const { reference: holder } = node;
    const schema = find(holder);
    for (const { reference, isInAllOf } of inPlaceEdges(node.isBase ? withoutChoice(schema) : schema)) {
      queue.push({ reference, isBase: isInAllOf && meansBase(holder, reference, find) });
    }
  }
  return false;
}

/**
 * The longest chain of references that apply to one value. A chain of thousands would overflow the stack of whoever
 * compiles or walks it. @returns the reference where it passes the limit, or undefined
 */
export function findLongChain(references: Iterable<string>, limit: number, find: Find): string | undefined {
  const depths = new Map<string, number>();
  for (const start of references) {
    const stack = [{ reference: start, rest: inPlaceEdges(find(start)), depth: 0 }];
    depths.set(start, depths.get(start) ?? 0);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const next = top.rest.pop();
      if (next === undefined) {
        stack.pop();
        const above = stack.at(-1);
        depths.set(top.reference, top.depth);
        if (above !== undefined) above.depth = Math.max(above.depth, top.depth + 1);
        if (top.depth > limit) return top.reference;
        continue;
      }
      const known = depths.get(next.reference);
      if (known !== undefined) {
        top.depth = Math.max(top.depth, known + 1);
        continue;
      }
      depths.set(next.reference, 0);
      stack.push({ reference: next.reference, rest: inPlaceEdges(find(next.reference)), depth: 0 });
    }
  }
  return undefined;
}

/** A chain of bare references that comes back to itself is no schema and no parameter: there is nothing at its end. */
export function endsNowhere(start: unknown, find: Find): boolean {
  const seen = new Set<unknown>();
  let node = start;
  while (isObject(node) && typeof node.$ref === "string" && Object.keys(node).length === 1) {
    if (seen.has(node)) return true;
    seen.add(node);
    node = find(node.$ref);
  }
  return false;
}

/** For each named schema of a document, those that have it in their `allOf`. */
export function findChildren(root: Json): Map<string, string[]> {
  const children = new Map<string, string[]>();
  const [path, schemas] =
    root.swagger === undefined
      ? ["#/components/schemas", toObject(toObject(root.components).schemas)]
      : ["#/definitions", toObject(root.definitions)];
  for (const [name, schema] of Object.entries(schemas)) {
    for (const part of toList(toObject(schema).allOf)) {
      const base = toObject(part).$ref;
      if (typeof base !== "string") continue;
      const known = children.get(base) ?? [];
      known.push(`${path}/${toToken(name)}`);
      children.set(base, known);
    }
  }
  return children;
}
