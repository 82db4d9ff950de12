import { isAscii } from "node:buffer";
import { ByteReader } from "./byte-reader.ts";
import { isMultiple } from "./equal.ts";
import type { Direction } from "./evaluation.ts";
import { FORMATS } from "./formats.ts";
import { isObject, type SchemaObject } from "./keywords.ts";
import { findMatcher } from "./pattern.ts";

/** Says yes to bytes that are strict JSON and valid, without making the value. No means: look again. */
export type ByteCheck = (bytes: Buffer) => boolean;

interface Node {
  check(reader: ByteReader): boolean;
}

const MAX_DEPTH = 128;
const MAX_MEMBERS = 30;
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
const PLAIN_NAME = /^[\x20\x21\x23-\x5b\x5d-\x7e]+$/;

/**
 * Most bodies are valid, plain and described by plain schemas: reading those in one pass costs less than parsing them.
 * @param schema cleaned, with all that it refers to inside
 * @returns undefined for schemas with anything else in them
 */
export function findByteCheck(schema: SchemaObject | boolean, direction: Direction): ByteCheck | undefined {
  const root = isObject(schema) ? new Builder(schema, direction).build(schema) : undefined;
  if (root === undefined) return undefined;
  return (bytes) => {
    if (!isAscii(bytes)) return false;
    const reader = new ByteReader(bytes);
    return root.check(reader) && reader.next() === 0;
  };
}

class Builder {
  private readonly root: SchemaObject;
  private readonly forbidden: string;
  private readonly allowed: string;
  private readonly known = new Map<SchemaObject, Node | undefined>();

  constructor(root: SchemaObject, direction: Direction) {
    this.root = root;
    this.forbidden = direction === "request" ? "readOnly" : "writeOnly";
    this.allowed = direction === "request" ? "writeOnly" : "readOnly";
  }

  build(schema: unknown): Node | undefined {
    if (!isObject(schema)) return undefined;
    if (this.known.has(schema)) return this.known.get(schema);
    const later = new Later();
    this.known.set(schema, later);
    later.node = this.make(schema);
    this.known.set(schema, later.node);
    return later.node;
  }

  private make(schema: SchemaObject): Node | undefined {
    // The mark says nothing of the whole body.
    if (schema[this.forbidden] === true && schema !== this.root) return new Never();
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
    const node = this.typed(type, schema, new Set(rest.filter((keyword) => keyword !== "type")));
    return node !== undefined && isNullable && schema.enum === undefined
      ? new Nullable(node)
      : isNullable
        ? undefined
        : node;
  }

  private reference(reference: string): Node | undefined {
    const name = /^#\/\$defs\/([^/%~]+)$/.exec(reference)?.[1];
    const { $defs } = this.root;
    return name === undefined || !isObject($defs) || !Object.hasOwn($defs, name) ? undefined : this.build($defs[name]);
  }

  private typed(type: unknown, schema: SchemaObject, keywords: Set<string>): Node | undefined {
    const leaves = (...allowed: string[]): boolean => [...keywords].every((keyword) => allowed.includes(keyword));
    if (type === "object" && leaves("properties", "required", "additionalProperties", "minProperties"))
      return this.object(schema);
    if (type === "array" && leaves("items", "minItems", "maxItems")) {
      const items = this.build(schema.items);
      return items && new List(items, schema);
    }
    if (type === "string" && leaves("minLength", "maxLength", "pattern", "format", "enum")) return Text.of(schema);
    const bounds = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "format"];
    if ((type === "integer" || type === "number") && leaves(...bounds)) return new Numeric(schema);
    return type === "boolean" && leaves() ? new Truth() : undefined;
  }

  private object(schema: SchemaObject): Node | undefined {
    const properties = isObject(schema.properties) ? schema.properties : {};
    const names = Object.keys(properties);
    const required = (schema.required ?? []) as string[];
    if (names.length === 0 || names.length > MAX_MEMBERS || schema.minProperties !== undefined) return undefined;
    if (!names.every((name) => PLAIN_NAME.test(name)) || !required.every((name) => names.includes(name)))
      return undefined;
    const members: Node[] = [];
    for (const name of names) {
      const member = this.build(properties[name]);
      // A member that takes more than a scan is no reason to give up: only when it is there.
      members.push(member ?? new Never());
    }
    return new Members(names, members, required);
  }
}

class Later implements Node {
  node: Node | undefined = undefined;
  check(reader: ByteReader): boolean {
    return this.node?.check(reader) ?? false;
  }
}

class Never implements Node {
  check(): boolean {
    return false;
  }
}

class Nullable implements Node {
  private readonly node: Node;
  constructor(node: Node) {
    this.node = node;
  }
  check(reader: ByteReader): boolean {
    return reader.next() === 0x6e ? reader.takeWord("null") : this.node.check(reader);
  }
}

class Truth implements Node {
  check(reader: ByteReader): boolean {
    return reader.takeWord(reader.next() === 0x74 ? "true" : "false");
  }
}

class Text implements Node {
  private readonly least: number;
  private readonly most: number;
  private readonly tests: readonly ((text: string) => boolean)[];

  private constructor(schema: SchemaObject, tests: readonly ((text: string) => boolean)[]) {
    this.least = (schema.minLength as number | undefined) ?? 0;
    this.most = (schema.maxLength as number | undefined) ?? Number.POSITIVE_INFINITY;
    this.tests = tests;
  }

  static of(schema: SchemaObject): Text {
    const tests: ((text: string) => boolean)[] = [];
    const matcher = typeof schema.pattern === "string" ? findMatcher(schema.pattern) : undefined;
    if (matcher !== undefined) tests.push((text) => matcher.test(text));
    const format = typeof schema.format === "string" ? FORMATS[schema.format] : undefined;
    if (format?.type === "string") tests.push(format.validate as (text: string) => boolean);
    if (Array.isArray(schema.enum)) {
      const values = new Set<unknown>(schema.enum);
      tests.push((text) => values.has(text));
    }
    return new Text(schema, tests);
  }

  check(reader: ByteReader): boolean {
    const length = reader.skipText();
    if (length < this.least || length > this.most) return false;
    if (this.tests.length === 0) return true;
    const text = reader.bytes.toString("latin1", reader.at - 1 - length, reader.at - 1);
    for (const test of this.tests) if (!test(text)) return false;
    return true;
  }
}

class Numeric implements Node {
  private readonly least: number;
  private readonly most: number;
  private readonly above: number;
  private readonly below: number;
  private readonly factor: number | undefined;
  private readonly format: ((value: number) => boolean) | undefined;
  private readonly isInteger: boolean;

  constructor(schema: SchemaObject) {
    const bound = (keyword: string, otherwise: number): number => (schema[keyword] as number | undefined) ?? otherwise;
    this.least = bound("minimum", Number.NEGATIVE_INFINITY);
    this.most = bound("maximum", Number.POSITIVE_INFINITY);
    this.above = bound("exclusiveMinimum", Number.NEGATIVE_INFINITY);
    this.below = bound("exclusiveMaximum", Number.POSITIVE_INFINITY);
    this.factor = schema.multipleOf as number | undefined;
    const format = typeof schema.format === "string" ? FORMATS[schema.format] : undefined;
    this.format = format?.type === "number" ? (format.validate as (value: number) => boolean) : undefined;
    this.isInteger = [schema.type].flat().includes("integer");
  }

  check(reader: ByteReader): boolean {
    if (!reader.readNumber() || (this.isInteger && !reader.isWhole)) return false;
    const { number } = reader;
    if (number < this.least || number > this.most || number <= this.above || number >= this.below) return false;
    if (this.factor !== undefined && !isMultiple(number, this.factor)) return false;
    return this.format === undefined || this.format(number);
  }
}

class List implements Node {
  private readonly items: Node;
  private readonly least: number;
  private readonly most: number;

  constructor(items: Node, schema: SchemaObject) {
    this.items = items;
    this.least = (schema.minItems as number | undefined) ?? 0;
    this.most = (schema.maxItems as number | undefined) ?? Number.POSITIVE_INFINITY;
  }

  check(reader: ByteReader): boolean {
    if (!reader.take(0x5b) || ++reader.depth > MAX_DEPTH) return false;
    let count = 0;
    if (reader.next() !== 0x5d) {
      do {
        if (!this.items.check(reader)) return false;
        count++;
      } while (reader.take(0x2c));
    }
    reader.depth--;
    return count >= this.least && count <= this.most && reader.take(0x5d);
  }
}

class Members implements Node {
  private readonly names: readonly Buffer[];
  private readonly members: readonly Node[];
  private readonly required: number;

  constructor(names: readonly string[], members: readonly Node[], required: readonly string[]) {
    this.names = names.map((name) => Buffer.from(`"${name}"`, "latin1"));
    this.members = members;
    this.required = required.reduce((bits, name) => bits | (1 << names.indexOf(name)), 0);
  }

  check(reader: ByteReader): boolean {
    if (!reader.take(0x7b) || ++reader.depth > MAX_DEPTH) return false;
    let seen = 0;
    let expected = 0;
    if (reader.next() !== 0x7d) {
      do {
        const index = this.find(reader, expected);
        // Unknown, or there before.
        if (index < 0 || (seen & (1 << index)) !== 0 || !reader.take(0x3a)) return false;
        if (!(this.members[index] as Node).check(reader)) return false;
        seen |= 1 << index;
        expected = index + 1;
      } while (reader.take(0x2c));
    }
    reader.depth--;
    return (seen & this.required) === this.required && reader.take(0x7d);
  }

  /** The member whose name stands next; members mostly come in the order of the schema. @returns −1 for none of them */
  private find(reader: ByteReader, expected: number): number {
    reader.next();
    const count = this.names.length;
    for (let i = 0; i < count; i++) {
      const index = expected + i < count ? expected + i : expected + i - count;
      if (startsWith(reader.bytes, reader.at, this.names[index] as Buffer)) {
        reader.at += (this.names[index] as Buffer).length;
        return index;
      }
    }
    return -1;
  }
}

function startsWith(bytes: Buffer, at: number, name: Buffer): boolean {
  for (let i = 0; i < name.length; i++) if (bytes[at + i] !== name[i]) return false;
  return true;
}
