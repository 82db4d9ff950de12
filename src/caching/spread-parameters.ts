import type { Operation, Parameter } from "../core/operation.ts";

type SchemaObject = { readonly [keyword: string]: unknown };

/**
 * Whether the query may have members of any name, as an exploded object spreads its own over it, or one parameter is all of
 * the query.
 */
export const isSpread = ({ spec }: Operation, { in: place, style, explode, schema }: Parameter): boolean =>
  place === "querystring" ||
  (place === "query" && style === "form" && explode && isObject(schema) && mayBeObject(schema, spec.bundle));

/** @param bundle makes a schema self-contained: asked only where the schema does not say its type itself */
function mayBeObject(schema: SchemaObject, bundle: Operation["spec"]["bundle"]): boolean {
  if (schema.type !== undefined) return [schema.type].flat().includes("object");
  const whole = bundle(schema);
  const seen = new Set<unknown>();
  const visit = (part: unknown): boolean => {
    if (!isObject(part) || seen.has(part)) return false;
    seen.add(part);
    if (part.type !== undefined) return [part.type].flat().includes("object");
    if (DESCRIBING.some((keyword) => part[keyword] !== undefined)) return true;
    return visit(targetOf(part.$ref, whole)) || JOINING.some((keyword) => [part[keyword]].flat().some(visit));
  };
  return visit(whole);
}

/** They speak of the members of an object, with or without its type. */
const DESCRIBING = ["properties", "patternProperties", "additionalProperties"];
const JOINING = ["allOf", "anyOf", "oneOf", "then", "else"];

function targetOf(reference: unknown, whole: unknown): unknown {
  const name = typeof reference === "string" ? /^#\/\$defs\/(.+)$/.exec(reference)?.[1] : undefined;
  if (name === undefined || !isObject(whole) || !isObject(whole.$defs)) return undefined;
  return whole.$defs[name.replaceAll("~1", "/").replaceAll("~0", "~")];
}

const isObject = (value: unknown): value is SchemaObject => typeof value === "object" && value !== null;
