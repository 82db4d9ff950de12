import { isObject, type SchemaObject } from "./keywords.ts";
import { type Resource, Resources } from "./resources.ts";

/** `\ud83d\ude00`: the longest that one character can be written in JSON. */
const BYTES_PER_CHARACTER = 12;
/** Digits beyond that are nobody's number; those that a double holds have 309 before the point. */
const BYTES_PER_NUMBER = 512;

/**
 * The most bytes of JSON, without white space, that a valid value can have: bounded by `maxLength`, `maxItems`, `enum`
 * and the members that an object may have.
 * @param schema cleaned, with all that it refers to inside
 * @returns Infinity where nothing bounds it
 */
export const largestJson = (schema: SchemaObject | boolean): number => new Measure(schema).largest();

/** Characters that a valid text can have, seen through references. @returns Infinity where nothing bounds it */
export const longestText = (schema: SchemaObject | boolean): number =>
  (new Measure(schema).largest("string") - 2) / BYTES_PER_CHARACTER;

class Measure {
  private readonly resources: Resources;
  private readonly root: SchemaObject | boolean;
  private readonly above = new Set<SchemaObject>();

  constructor(root: SchemaObject | boolean) {
    this.resources = new Resources(root);
    this.root = root;
  }

  /** @param type that the value is known to have */
  largest(type?: string): number {
    return this.measure(this.root, this.resources.root, type);
  }

  private measure(schema: unknown, from: Resource, type?: string): number {
    if (schema === false) return 0;
    // A schema that contains itself has values of every size.
    if (!isObject(schema) || this.above.has(schema)) return Number.POSITIVE_INFINITY;
    this.above.add(schema);
    const resource = this.resources.ownerOf(schema, from);
    let least = this.own(schema, resource, type);
    const target = typeof schema.$ref === "string" ? this.resources.resolve(schema.$ref, resource) : undefined;
    if (target !== undefined) least = Math.min(least, this.measure(target.schema, target.resource, type));
    for (const sub of listOf(schema.allOf)) least = Math.min(least, this.measure(sub, resource, type));
    for (const keyword of ["anyOf", "oneOf"]) {
      if (!Array.isArray(schema[keyword])) continue;
      least = Math.min(least, Math.max(...schema[keyword].map((sub) => this.measure(sub, resource, type))));
    }
    this.above.delete(schema);
    return least;
  }

  private own(schema: SchemaObject, resource: Resource, type: string | undefined): number {
    if (type === undefined && Object.hasOwn(schema, "const")) return textOf(schema.const);
    if (type === undefined && Array.isArray(schema.enum)) return Math.max(0, ...schema.enum.map(textOf));
    const types = type === undefined ? listOf(schema.type) : [type];
    if (types.length === 0) return Number.POSITIVE_INFINITY;
    return Math.max(...types.map((name) => this.ofType(String(name), schema, resource)));
  }

  private ofType(type: string, schema: SchemaObject, resource: Resource): number {
    const { maxLength, maxItems } = schema;
    if (type === "null" || type === "boolean") return 5;
    if (type === "integer" || type === "number") return BYTES_PER_NUMBER;
    if (type === "string")
      return typeof maxLength === "number" ? maxLength * BYTES_PER_CHARACTER + 2 : Number.POSITIVE_INFINITY;
    if (type === "object") return this.ofObject(schema, resource);
    if (typeof maxItems !== "number" || Array.isArray(schema.prefixItems)) return Number.POSITIVE_INFINITY;
    return maxItems === 0 ? 2 : maxItems * (this.measure(schema.items, resource) + 1) + 2;
  }

  private ofObject(schema: SchemaObject, resource: Resource): number {
    if (schema.additionalProperties !== false || schema.patternProperties !== undefined)
      return Number.POSITIVE_INFINITY;
    let sum = 2;
    for (const [name, member] of Object.entries(isObject(schema.properties) ? schema.properties : {}))
      sum += textOf(name) + this.measure(member, resource) + 2;
    return sum;
  }
}

const listOf = (value: unknown): readonly unknown[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value];

const textOf = (value: unknown): number => JSON.stringify(value).length * BYTES_PER_CHARACTER;
