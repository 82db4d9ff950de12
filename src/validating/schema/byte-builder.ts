import { joinPieces, nameMembers, PLAIN_NAME } from "./byte-members.ts";
import { ARRAY, ByteNode, EVERYTHING, FALSE, NULL, NUMBER, OBJECT, TEXT, type TextTest, TRUE } from "./byte-node.ts";
import { BytePattern } from "./byte-pattern.ts";
import { Word } from "./byte-word.ts";
import type { Direction } from "./evaluation.ts";
import { FORMATS } from "./formats.ts";
import { isObject, type SchemaObject } from "./keywords.ts";
import { findMatcher } from "./pattern.ts";

const LOCAL_REFERENCE = /^#\/\$defs\/([^/%~]+)$/;

const TYPES: Readonly<Record<string, number>> = {
  object: OBJECT,
  array: ARRAY,
  string: TEXT,
  number: NUMBER,
  integer: NUMBER,
  boolean: TRUE | FALSE,
  null: NULL,
};

/** Of each keyword the kinds of values that it says something about; 0 for those that say nothing. */
const CONCERNS: Readonly<Record<string, number>> = {
  title: 0,
  description: 0,
  default: 0,
  example: 0,
  examples: 0,
  deprecated: 0,
  xml: 0,
  externalDocs: 0,
  contentMediaType: 0,
  contentEncoding: 0,
  contentSchema: 0,
  $defs: 0,
  definitions: 0,
  patternProperties: OBJECT,
  propertyNames: OBJECT,
  dependentRequired: OBJECT,
  dependentSchemas: OBJECT,
  unevaluatedProperties: OBJECT,
  prefixItems: ARRAY,
  contains: ARRAY,
  minContains: ARRAY,
  maxContains: ARRAY,
  unevaluatedItems: ARRAY,
};
/** Those that a node holds. */
const HELD = new Set([
  ...["type", "enum", "const", "format", "$ref", "allOf", "anyOf", "oneOf"],
  ...["properties", "required", "additionalProperties", "minProperties", "maxProperties"],
  ...["items", "minItems", "maxItems", "uniqueItems"],
  ...["minLength", "maxLength", "pattern"],
  ...["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
]);
/** Of some formats all that they take. */
const FORMAT_PATTERNS: Readonly<Record<string, string>> = {
  uuid: "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$",
};
/** Of more, a set knows faster whether there is one. */
const MAX_CHOICES = 12;
const IN_PLACE = ["$ref", "allOf", "anyOf", "oneOf"];

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** Makes the nodes of a schema and of all that it refers to. What it does not know, it marks as what a scan cannot tell. */
export class ByteBuilder {
  private readonly root: SchemaObject | boolean;
  private readonly forbidden: string;
  private readonly allowed: string;
  private readonly known = new Map<SchemaObject, ByteNode>();
  private readonly free = makeFree();

  /** @param root cleaned, with all that it refers to inside */
  constructor(root: SchemaObject | boolean, direction: Direction) {
    this.root = root;
    this.forbidden = direction === "request" ? "readOnly" : "writeOnly";
    this.allowed = direction === "request" ? "writeOnly" : "readOnly";
  }

  build(schema: unknown): ByteNode {
    if (schema === undefined || schema === true) return this.free;
    if (!isObject(schema)) return makeNothing();
    const known = this.known.get(schema);
    if (known !== undefined) return known;
    const rest = Object.keys(schema).filter((keyword) => CONCERNS[keyword] !== 0 && !this.saysNothing(keyword));
    if (rest.length === 1 && rest[0] === "$ref") {
      // Refers it to itself, it finds this: a node that tells nothing.
      this.known.set(schema, new ByteNode());
      const target = this.resolve(schema.$ref);
      this.known.set(schema, target);
      return target;
    }
    const node = new ByteNode();
    this.known.set(schema, node);
    // The mark says nothing of the whole body.
    if (schema[this.forbidden] !== true || schema === this.root) this.fill(node, schema, rest);
    return node;
  }

  private saysNothing(keyword: string): boolean {
    return keyword.startsWith("x-") || keyword === this.allowed || keyword === this.forbidden;
  }

  private resolve(reference: unknown): ByteNode {
    if (!isObject(this.root)) return new ByteNode();
    if (reference === "#") return this.build(this.root);
    const name = LOCAL_REFERENCE.exec(String(reference))?.[1];
    const { $defs } = this.root;
    const isThere = name !== undefined && isObject($defs) && Object.hasOwn($defs, name);
    return isThere ? this.build($defs[name]) : new ByteNode();
  }

  private fill(node: ByteNode, schema: SchemaObject, keywords: readonly string[]): void {
    let unsure = 0;
    for (const keyword of keywords) if (!HELD.has(keyword)) unsure |= CONCERNS[keyword] ?? EVERYTHING;
    const isSealed = unsure === OBJECT && isPlainlySealed(schema, keywords);
    if (isSealed) unsure = 0;
    if (unsure === EVERYTHING) return;

    const types = schema.type === undefined ? undefined : [schema.type].flat();
    let takes = types?.reduce((bits: number, type) => bits | (TYPES[String(type)] ?? 0), 0) ?? EVERYTHING;
    const values = schema.const === undefined ? schema.enum : [schema.const];
    const hasBoth = schema.const !== undefined && schema.enum !== undefined;
    if (Array.isArray(values) && !hasBoth) {
      takes &= kindsOf(values);
      if (values.some((value) => typeof value === "object" && value !== null)) unsure |= OBJECT | ARRAY;
    } else if (hasBoth) return;
    const allowed = Array.isArray(values) ? new Set<unknown>(values) : undefined;
    node.isInteger = types?.includes("integer") === true && !types.includes("number");
    fillText(node, schema, allowed);
    fillNumber(node, schema, allowed);
    node.items = this.build(schema.items);
    node.leastItems = countOf(schema.minItems, 0);
    node.mostItems = countOf(schema.maxItems, Number.POSITIVE_INFINITY);
    node.isUnique = schema.uniqueItems === true;
    this.fillMembers(node, schema, isSealed ? schema.unevaluatedProperties : schema.additionalProperties);
    this.fillBranches(node, schema, keywords);
    node.takes = takes & ~unsure;
    node.unsure = unsure;
    if (node.hasBranches) joinPieces(node, this.free);
  }

  private fillMembers(node: ByteNode, schema: SchemaObject, additional: unknown): void {
    const properties = isObject(schema.properties) ? schema.properties : {};
    const members = Object.keys(properties).map((name) => [name, this.build(properties[name])] as const);
    nameMembers(node, members, listOf(schema.required) as string[]);
    node.additional = additional === false ? undefined : this.build(additional);
    node.leastMembers = countOf(schema.minProperties, 0);
    node.mostMembers = countOf(schema.maxProperties, Number.POSITIVE_INFINITY);
  }

  private fillBranches(node: ByteNode, schema: SchemaObject, keywords: readonly string[]): void {
    const inPlace = keywords.filter((keyword) => IN_PLACE.includes(keyword));
    if (inPlace.length === 0) return;
    const build = (sub: unknown): ByteNode => this.build(sub);
    node.all = [...(schema.$ref === undefined ? [] : [this.resolve(schema.$ref)]), ...listOf(schema.allOf).map(build)];
    node.any = schema.anyOf === undefined ? [] : [listOf(schema.anyOf).map(build)];
    node.one = schema.oneOf === undefined ? [] : [listOf(schema.oneOf).map(build)];
    node.isOpen = !node.isInteger && keywords.every((keyword) => keyword === "type" || IN_PLACE.includes(keyword));
    node.hasBranches = true;
  }
}

/** True where `unevaluatedProperties` means what `additionalProperties` does: nothing else looks at the same members. */
const isPlainlySealed = (schema: SchemaObject, keywords: readonly string[]): boolean =>
  schema.additionalProperties === undefined &&
  keywords.every(
    (keyword) => keyword === "unevaluatedProperties" || (HELD.has(keyword) && !IN_PLACE.includes(keyword)),
  );

function makeFree(): ByteNode {
  const node = new ByteNode();
  node.takes = EVERYTHING;
  node.unsure = 0;
  node.items = node;
  node.additional = node;
  return node;
}

function makeNothing(): ByteNode {
  const node = new ByteNode();
  node.unsure = 0;
  return node;
}

const countOf = (value: unknown, otherwise: number): number => (typeof value === "number" ? value : otherwise);

/** Objects and arrays stand for themselves: they are not compared. */
function kindsOf(values: readonly unknown[]): number {
  let kinds = 0;
  for (const value of values) {
    if (value === null) kinds |= NULL;
    else if (value === true) kinds |= TRUE;
    else if (value === false) kinds |= FALSE;
    else if (typeof value === "string") kinds |= TEXT;
    else if (typeof value === "number") kinds |= NUMBER;
  }
  return kinds;
}

function fillText(node: ByteNode, schema: SchemaObject, allowed: ReadonlySet<unknown> | undefined): void {
  const tests: TextTest[] = [];
  if (allowed !== undefined) tests.push({ test: (text) => allowed.has(text), pattern: undefined });
  const { pattern } = schema;
  const matcher = typeof pattern === "string" ? findMatcher(pattern) : undefined;
  if (matcher !== undefined)
    tests.push({ test: (text) => matcher.test(text), pattern: BytePattern.find(pattern as string) });
  const format = formatOf(schema);
  if (format?.type === "string") {
    const known = FORMAT_PATTERNS[schema.format as string];
    tests.push({
      test: format.validate as (text: string) => boolean,
      pattern: known === undefined ? undefined : BytePattern.find(known),
    });
  }
  node.texts = tests;
  node.leastLength = countOf(schema.minLength, 0);
  node.mostLength = countOf(schema.maxLength, Number.POSITIVE_INFINITY);
  const isAlone = tests.length === 1 && schema.minLength === undefined && schema.maxLength === undefined;
  if (allowed !== undefined && isAlone && allowed.size <= MAX_CHOICES) node.choices = choicesOf(allowed);
}

/** The texts that can be found by their bytes. */
const choicesOf = (allowed: ReadonlySet<unknown>): Word[] =>
  [...allowed]
    .filter((text): text is string => typeof text === "string" && text.length > 1 && PLAIN_NAME.test(text))
    .map((text) => new Word(`"${text}"`));

function fillNumber(node: ByteNode, schema: SchemaObject, allowed: ReadonlySet<unknown> | undefined): void {
  const tests: ((value: number | bigint) => boolean)[] = [];
  if (allowed !== undefined) tests.push((value) => allowed.has(value));
  const format = formatOf(schema);
  if (format?.type === "number") tests.push(format.validate as (value: number | bigint) => boolean);
  node.numbers = tests;
  node.least = countOf(schema.minimum, Number.NEGATIVE_INFINITY);
  node.most = countOf(schema.maximum, Number.POSITIVE_INFINITY);
  node.above = countOf(schema.exclusiveMinimum, Number.NEGATIVE_INFINITY);
  node.below = countOf(schema.exclusiveMaximum, Number.POSITIVE_INFINITY);
  if (typeof schema.multipleOf === "number") node.factor = schema.multipleOf;
}

const formatOf = ({ format }: SchemaObject): (typeof FORMATS)[string] | undefined =>
  typeof format === "string" && Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined;
