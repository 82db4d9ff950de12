import { ByteNode } from "./byte-node.ts";
import { ByteReader, Word } from "./byte-reader.ts";
import type { Direction } from "./evaluation.ts";
import { FORMATS } from "./formats.ts";
import { isObject, type SchemaObject } from "./keywords.ts";
import { findMatcher } from "./pattern.ts";

/** Says yes to bytes that are strict JSON and valid, without making the value. No means: look again. */
export type ByteCheck = (bytes: Buffer) => boolean;

const MAX_MEMBERS = 30;
const SHARED_BYTES = 65_536;
const ANNOTATIONS = new Set([
  "title",
  "description",
  "default",
  "example",
  "examples",
  "deprecated",
  "xml",
  "externalDocs",
  "contentMediaType",
  "$defs",
]);
const NUMBER_KEYWORDS = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "format"];
const TEXT_KEYWORDS = ["minLength", "maxLength", "pattern", "format", "enum"];
const PLAIN_NAME = /^[\x20\x21\x23-\x5b\x5d-\x7e]+$/;

/** For all short bodies in turn: a check never waits, so none begins within another. */
const sharedReader = new ByteReader(SHARED_BYTES);

/**
 * Most bodies are valid, plain and described by plain schemas: reading those in one pass costs less than parsing them.
 * @param schema cleaned, with all that it refers to inside
 * @returns undefined for schemas with anything else in them
 */
export function findByteCheck(schema: SchemaObject | boolean, direction: Direction): ByteCheck | undefined {
  const root = isObject(schema) ? new Builder(schema, direction).build(schema) : undefined;
  if (root === undefined) return undefined;
  return (bytes) => {
    const { length } = bytes;
    const reader = length > SHARED_BYTES ? new ByteReader(length) : sharedReader;
    reader.load(bytes);
    return root.check(reader) && reader.next() === 0 && reader.at === length;
  };
}

class Builder {
  private readonly root: SchemaObject;
  private readonly forbidden: string;
  private readonly allowed: string;
  private readonly known = new Map<SchemaObject, ByteNode | undefined>();

  constructor(root: SchemaObject, direction: Direction) {
    this.root = root;
    this.forbidden = direction === "request" ? "readOnly" : "writeOnly";
    this.allowed = direction === "request" ? "writeOnly" : "readOnly";
  }

  build(schema: unknown): ByteNode | undefined {
    if (!isObject(schema)) return undefined;
    if (this.known.has(schema)) return this.known.get(schema);
    // A schema that contains itself finds this one; filled in below, or a node that accepts nothing.
    const node = new ByteNode();
    this.known.set(schema, node);
    const made = this.make(schema, node);
    this.known.set(schema, made);
    return made;
  }

  private make(schema: SchemaObject, node: ByteNode): ByteNode | undefined {
    // The mark says nothing of the whole body.
    if (schema[this.forbidden] === true && schema !== this.root) return node;
    const rest = Object.keys(schema).filter(
      (keyword) =>
        !ANNOTATIONS.has(keyword) &&
        !keyword.startsWith("x-") &&
        keyword !== this.allowed &&
        keyword !== this.forbidden,
    );
    if (rest.length === 1 && rest[0] === "$ref") return this.reference(String(schema.$ref));
    const types = [schema.type].flat();
    const isNullable = types.length === 2 && types.includes("null");
    const type = isNullable ? types.find((name) => name !== "null") : types.length === 1 ? types[0] : undefined;
    if (isNullable && schema.enum !== undefined) return undefined;
    const keywords = rest.filter((keyword) => keyword !== "type");
    if (!this.fill(node, type, schema, keywords)) return undefined;
    node.isNullable = isNullable;
    return node;
  }

  private reference(reference: string): ByteNode | undefined {
    const name = /^#\/\$defs\/([^/%~]+)$/.exec(reference)?.[1];
    const { $defs } = this.root;
    return name === undefined || !isObject($defs) || !Object.hasOwn($defs, name) ? undefined : this.build($defs[name]);
  }

  /** @returns false when there is more in the schema than a scan can decide */
  private fill(node: ByteNode, type: unknown, schema: SchemaObject, keywords: readonly string[]): boolean {
    const hasOnly = (...allowed: string[]): boolean => keywords.every((keyword) => allowed.includes(keyword));
    if (type === "object" && hasOnly("properties", "required", "additionalProperties"))
      return this.fillMembers(node, schema);
    if (type === "array" && hasOnly("items", "minItems", "maxItems")) {
      node.items = this.build(schema.items);
      node.kind = node.items === undefined ? "never" : "array";
      setBounds(node, schema.minItems, schema.maxItems);
      return node.items !== undefined;
    }
    if (type === "string" && hasOnly(...TEXT_KEYWORDS)) fillText(node, schema);
    else if ((type === "integer" || type === "number") && hasOnly(...NUMBER_KEYWORDS)) fillNumber(node, schema);
    else if (type === "boolean" && hasOnly()) node.kind = "boolean";
    else return false;
    return true;
  }

  private fillMembers(node: ByteNode, schema: SchemaObject): boolean {
    const properties = isObject(schema.properties) ? schema.properties : {};
    const names = Object.keys(properties);
    const required = (schema.required ?? []) as string[];
    if (names.length === 0 || names.length > MAX_MEMBERS) return false;
    if (!names.every((name) => PLAIN_NAME.test(name)) || !required.every((name) => names.includes(name))) return false;
    // A member that takes more than a scan is no reason to give up: only when it is there.
    node.members = names.map((name) => this.build(properties[name]) ?? new ByteNode());
    node.names = names;
    node.words = names.map((name) => new Word(`"${name}":`));
    node.required = required.reduce((bits, name) => bits | (1 << names.indexOf(name)), 0);
    node.kind = "object";
    return true;
  }
}

function setBounds(node: ByteNode, least: unknown, most: unknown): void {
  if (typeof least === "number") node.least = least;
  if (typeof most === "number") node.most = most;
}

function fillText(node: ByteNode, schema: SchemaObject): void {
  const tests: ((text: string) => boolean)[] = [];
  const matcher = typeof schema.pattern === "string" ? findMatcher(schema.pattern) : undefined;
  if (matcher !== undefined) tests.push((text) => matcher.test(text));
  const format = typeof schema.format === "string" ? FORMATS[schema.format] : undefined;
  if (format?.type === "string") tests.push(format.validate as (text: string) => boolean);
  if (Array.isArray(schema.enum)) {
    const values = new Set<unknown>(schema.enum);
    tests.push((text) => values.has(text));
  }
  setBounds(node, schema.minLength, schema.maxLength);
  node.texts = tests;
  node.kind = "text";
}

function fillNumber(node: ByteNode, schema: SchemaObject): void {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema;
  setBounds(node, minimum, maximum);
  if (typeof exclusiveMinimum === "number") node.above = exclusiveMinimum;
  if (typeof exclusiveMaximum === "number") node.below = exclusiveMaximum;
  if (typeof multipleOf === "number") node.factor = multipleOf;
  const format = typeof schema.format === "string" ? FORMATS[schema.format] : undefined;
  if (format?.type === "number") node.format = format.validate as (value: number) => boolean;
  node.isInteger = [schema.type].flat().includes("integer");
  node.kind = "number";
}
