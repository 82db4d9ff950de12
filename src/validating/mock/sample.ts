import type { SchemaCheck } from "../schema/check.ts";
import { isObject, type SchemaObject } from "../schema/keywords.ts";
import { type Resource, Resources } from "../schema/resources.ts";
import { mergeSchemas } from "./merge.ts";
import type { Random } from "./pattern-sample.ts";
import { sampleNumber, sampleString } from "./scalar-sample.ts";

const TRIES = 40;
/** From here on members and items that nobody asks for are left out: what cannot be built may be one of them. */
const FULL_TRIES = 20;
const MAX_DEPTH = 8;

/** A small generator, the same for the same seed (mulberry32): a mock that is asked twice answers twice the same. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/**
 * A value that is valid against a schema. Made by construction, then checked, and made again from other numbers while
 * it is not: `not`, `if` and lookaheads cannot be built toward.
 * @returns undefined when none was found
 */
export function findSample(
  check: SchemaCheck,
  seed: number,
  usesExamples: boolean,
): { readonly value: unknown } | undefined {
  const { schema } = check;
  for (let i = 0; i < TRIES; i++) {
    const sampler = new Sampler(schema, createRandom(seed + i), {
      usesExamples: usesExamples && (i === 0 || i === FULL_TRIES),
      isBare: i >= FULL_TRIES,
    });
    const value = sampler.sample(schema);
    if (check.isValid(value)) return { value };
  }
  return undefined;
}

const isConditional = (schema: unknown): schema is SchemaObject =>
  isObject(schema) && isObject(schema.if) && isObject(schema.then);

interface SamplerOptions {
  readonly usesExamples: boolean;
  /** Only what is required. */
  readonly isBare: boolean;
}

class Sampler {
  private readonly resources: Resources;
  private readonly random: Random;
  private readonly options: SamplerOptions;

  constructor(root: SchemaObject | boolean, random: Random, options: SamplerOptions) {
    this.resources = new Resources(root);
    this.random = random;
    this.options = options;
  }

  sample(schema: unknown): unknown {
    return this.make(schema, this.resources.root, 0);
  }

  private make(source: unknown, from: Resource, depth: number): unknown {
    const [schema, resource] = this.flatten(source, from, 0);
    if (Object.hasOwn(schema, "const")) return schema.const;
    if (this.options.usesExamples) {
      if (Object.hasOwn(schema, "example")) return schema.example;
      if (Array.isArray(schema.examples) && schema.examples.length > 0) return schema.examples[0];
      if (Object.hasOwn(schema, "default")) return schema.default;
    }
    if (Array.isArray(schema.enum) && schema.enum.length > 0) return this.pick(schema.enum);
    switch (this.typeOf(schema)) {
      case "object":
        return this.object(schema, resource, depth);
      case "array":
        return this.array(schema, resource, depth);
      case "string":
        return sampleString(schema, this.random);
      case "integer":
        return sampleNumber(schema, true, this.random);
      case "number":
        return sampleNumber(schema, false, this.random);
      case "boolean":
        return this.random() < 0.5;
      default:
        return null;
    }
  }

  /** One schema of all that applies to the same value; of alternatives, one is chosen. */
  private flatten(source: unknown, from: Resource, depth: number): [SchemaObject, Resource] {
    if (!isObject(source) || depth > 30) return [{}, from];
    let resource = this.resources.ownerOf(source, from);
    let { $ref, allOf, anyOf, oneOf, ...schema } = source;
    const parts: unknown[] = Array.isArray(allOf) ? this.withOneCondition(allOf) : [];
    if (isConditional(source)) parts.push(source.if, source.then);
    for (const choices of [anyOf, oneOf]) if (Array.isArray(choices)) parts.push(this.pick(choices));
    if (typeof $ref === "string") {
      const target = this.resources.resolve($ref, resource);
      if (target !== undefined) {
        const [flat] = this.flatten(target.schema, target.resource, depth + 1);
        schema = mergeSchemas(flat, schema);
        if (parts.length === 0) resource = target.resource;
      }
    }
    for (const part of parts) schema = mergeSchemas(schema, this.flatten(part, resource, depth + 1)[0]);
    return [schema, resource];
  }

  /** Of several conditions, as a discriminator is brought to, one is met. */
  private withOneCondition(parts: readonly unknown[]): unknown[] {
    const conditions = parts.filter(isConditional);
    if (conditions.length < 2) return [...parts];
    const met = this.pick(conditions);
    return parts.filter((part) => part === met || !isConditional(part));
  }

  private typeOf(schema: SchemaObject): string {
    const types = [schema.type ?? []].flat() as string[];
    if (types.length > 0) return types.find((type) => type !== "null") ?? "null";
    if (schema.properties !== undefined || schema.additionalProperties !== undefined || schema.required !== undefined)
      return "object";
    if (schema.items !== undefined || schema.prefixItems !== undefined) return "array";
    return schema.minimum !== undefined || schema.maximum !== undefined ? "number" : "string";
  }

  private object(schema: SchemaObject, resource: Resource, depth: number): SchemaObject {
    const value: SchemaObject = {};
    const required = new Set((schema.required as string[] | undefined) ?? []);
    const properties = isObject(schema.properties) ? schema.properties : {};
    for (const name of Object.keys(properties)) {
      const member = properties[name];
      const isLeftOut =
        this.options.isBare || member === false || depth >= MAX_DEPTH || this.isWriteOnly(member, resource);
      if (!isLeftOut || required.has(name)) define(value, name, this.make(member, resource, depth + 1));
    }
    const extra = isObject(schema.additionalProperties) ? schema.additionalProperties : {};
    for (const name of required)
      if (!Object.hasOwn(value, name)) define(value, name, this.make(extra, resource, depth + 1));
    const least = typeof schema.minProperties === "number" ? schema.minProperties : 0;
    for (let i = 0; Object.keys(value).length < least && i < least; i++)
      define(value, `member${i}`, this.make(extra, resource, depth + 1));
    return value;
  }

  private isWriteOnly(schema: unknown, resource: Resource): boolean {
    return this.flatten(schema, resource, 0)[0].writeOnly === true;
  }

  private array(schema: SchemaObject, resource: Resource, depth: number): unknown[] {
    const prefix = Array.isArray(schema.prefixItems) ? schema.prefixItems : [];
    const least = Math.max(Number(schema.minItems ?? 0), prefix.length);
    const most = typeof schema.maxItems === "number" ? schema.maxItems : least + 2;
    const wanted = depth >= MAX_DEPTH || this.options.isBare ? least : Math.min(Math.max(least, 1), most);
    const items: unknown[] = [];
    for (let i = 0; i < Math.min(wanted, 1_000); i++) {
      items.push(this.make(prefix[i] ?? schema.items ?? schema.contains ?? { type: "string" }, resource, depth + 1));
    }
    return items;
  }

  private pick<T>(options: readonly T[]): T {
    return options[Math.floor(this.random() * options.length)] as T;
  }
}

const define = (object: SchemaObject, name: string, value: unknown): void => {
  Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
};
