import type { SpecFiles } from "./files.ts";
import { isObject, type Json, parsePointer, toList, toObject } from "./json.ts";
import type { Visited } from "./subschemas.ts";

interface Place {
  readonly home: Visited | undefined;
  readonly isInAllOf: boolean;
  readonly scope: ReadonlyMap<string, string>;
}
/** A schema of schemas of schemas: more are followed by nobody who reads it either. */
const MAX_ANCESTORS = 8;

/** What dispatching needs of the bundle it is done for. */
export interface DiscriminatorContext {
  readonly files: SpecFiles;
  refer(reference: string, place: Place): Json | boolean;
}

/**
 * A discriminator as 3.0 means it: the property's value says which schema applies. In 3.1 and 3.2 it "must not change
 * the outcome of validation" (3.2 §4.25), so there `oneOf` alone decides.
 * @param result the copy of the schema, whose `oneOf` or `anyOf` the choice replaces
 */
export function applyDiscriminator(context: DiscriminatorContext, schema: Json, result: Json, place: Place): Json {
  delete result.discriminator;
  const { files } = context;
  if (files.version === "3.1" || files.version === "3.2") return result;
  const property = isObject(schema.discriminator) ? schema.discriminator.propertyName : schema.discriminator;
  if (typeof property !== "string") return result;
  const mapping = toObject(toObject(schema.discriminator).mapping);
  const keyword = schema.oneOf !== undefined ? "oneOf" : schema.anyOf !== undefined ? "anyOf" : undefined;
  if (keyword === undefined) return dispatchToChildren(context, result, { property, mapping }, place);

  const references: string[] = [];
  for (const branch of toList(schema[keyword])) {
    const reference = toObject(branch).$ref;
    // A schema written in place has no name: with one of them, trying each is all that can be done.
    if (typeof reference !== "string") return result;
    references.push(reference);
  }
  const branches = new Map<string, string>();
  for (const reference of references) {
    for (const value of valuesOf(files, reference, property, mapping)) branches.set(value, reference);
  }
  const { [keyword]: each, ...rest } = result;
  const choice = [...branches].map(([value, reference]) => ({
    if: { properties: { [property]: { const: value } }, required: [property] },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: context.refer(reference, place),
  }));
  const dispatched = [{ properties: { [property]: { enum: [...branches.keys()] } } }, ...choice];
  const isChosen = { type: "object", required: [property] };
  const isAlwaysThere = references.every((reference) => requires(files, { $ref: reference }, property));
  if (isAlwaysThere) return { ...rest, allOf: [...toList(rest.allOf), isChosen, ...dispatched] };
  // "The behavior when the property is absent is undefined" (3.0.4 §4.7.25): then the schemas themselves decide.
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  const whenThere = { if: isChosen, then: { allOf: dispatched }, else: { [keyword]: each } };
  return { ...rest, allOf: [...toList(rest.allOf), whenThere] };
}

/** Whether a schema, by itself or by what it is made of, requires a property. */
function requires(files: SpecFiles, schema: unknown, property: string, depth = 0): boolean {
  const { required, allOf } = files.resolve(schema);
  if (toList(required).includes(property)) return true;
  return depth < MAX_ANCESTORS && toList(allOf).some((part) => requires(files, part, property, depth + 1));
}

/** The values that choose a schema: those mapped to it, its name where that is not another's, and those that it demands itself. */
function valuesOf(files: SpecFiles, reference: string, property: string, mapping: Json): Set<string> {
  const name = nameOf(reference);
  const mapped = Object.keys(mapping).filter((key) => mapping[key] === reference || mapping[key] === name);
  const values = new Set(name in mapping ? mapped : [...mapped, name]);
  for (const value of demanded(files, files.find(reference), property)) values.add(String(value));
  return values;
}

/** What `enum` or `const` of the property demand. A base class lists the values of all its children: it is not asked. */
function demanded(files: SpecFiles, schema: unknown, property: string): unknown[] {
  const { properties, allOf } = toObject(schema);
  const own = files.resolve(toObject(properties)[property]);
  const values = [own.const, ...toList(own.enum)].filter((value) => typeof value === "string");
  if (values.length > 0) return values;
  return toList(allOf).flatMap((part) => (toObject(part).$ref === undefined ? demanded(files, part, property) : []));
}

const nameOf = (reference: string): string => parsePointer(reference.slice(reference.indexOf("#") + 1)).at(-1) ?? "";

/** A base class: children name it in `allOf`, and a value that is a child's must be that child. */
function dispatchToChildren(
  context: DiscriminatorContext,
  result: Json,
  { property, mapping }: { property: string; mapping: Json },
  place: Place,
): Json {
  if (place.home === undefined) return result;
  const children = childrenOf(context.files, place.home.reference);
  const choice: Json[] = [];
  for (const child of children) {
    const values = [...valuesOf(context.files, child, property, mapping)];
    const then = context.refer(child, { ...place, home: undefined });
    choice.push({ if: { properties: { [property]: { enum: values } }, required: [property] }, then });
  }
  return choice.length === 0 ? result : { ...result, allOf: [...toList(result.allOf), ...choice] };
}

/** Schemas that have the one in their `allOf`, and those that have them. */
function childrenOf(files: SpecFiles, base: string): string[] {
  const found = new Set<string>();
  const queue = [base];
  for (let parent = queue.pop(); parent !== undefined; parent = queue.pop()) {
    for (const child of files.childrenByBase.get(parent) ?? []) {
      if (found.has(child) || child === base) continue;
      found.add(child);
      queue.push(child);
    }
  }
  return [...found];
}
