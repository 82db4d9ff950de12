import { canonical, countCharacters, findDuplicate, isEqual, isMultiple } from "./equal.ts";
import { toBound } from "./exact.ts";
import { FORMATS } from "./formats.ts";
import { isObject, type SchemaObject } from "./keywords.ts";
import { findMatcher, type Matcher } from "./pattern.ts";

/** @returns a sentence about what is wrong, or undefined. It never repeats the value: that could be a secret. */
export type Assertion = (operand: unknown, value: unknown, schema: SchemaObject) => string | undefined;

const matchers = new WeakMap<SchemaObject, Matcher | null>();
function matcherOf(schema: SchemaObject): Matcher | null {
  let known = matchers.get(schema);
  if (known === undefined) {
    known = findMatcher(schema.pattern as string) ?? null;
    matchers.set(schema, known);
  }
  return known;
}

const isCompound = (value: unknown): boolean => typeof value === "object" && value !== null;

/** Of an `enum` its objects and arrays, as texts that equal ones share: comparing each with each value takes seconds. */
const compounds = new WeakMap<readonly unknown[], ReadonlySet<string>>();

function isListed(values: readonly unknown[], value: unknown): boolean {
  if (!isCompound(value)) return values.some((allowed) => isEqual(allowed, value));
  let known = compounds.get(values);
  if (known === undefined) {
    known = new Set(values.filter(isCompound).map(canonical));
    compounds.set(values, known);
  }
  return known.size > 0 && known.has(canonical(value));
}

export function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return isNumber(value) ? "number" : typeof value;
}

const isNumber = (value: unknown): value is number | bigint => typeof value === "number" || typeof value === "bigint";

export function hasType(value: unknown, type: unknown): boolean {
  return type === "integer" ? Number.isInteger(value) || typeof value === "bigint" : typeOf(value) === type;
}

const number = (check: (operand: number, value: number | bigint) => string | undefined): Assertion => {
  return (operand, value) => (isNumber(value) ? check(operand as number, value) : undefined);
};
const isAtMost = (value: number | bigint, most: number): boolean =>
  typeof value === "bigint" ? value <= toBound(most) : value <= most;
const text = (check: (operand: number, length: number) => string | undefined): Assertion => {
  return (operand, value) => (typeof value === "string" ? check(operand as number, countCharacters(value)) : undefined);
};
const list = (check: (operand: number, length: number) => string | undefined): Assertion => {
  return (operand, value) => (Array.isArray(value) ? check(operand as number, value.length) : undefined);
};
const members = (check: (operand: number, count: number) => string | undefined): Assertion => {
  return (operand, value) => (isObject(value) ? check(operand as number, Object.keys(value).length) : undefined);
};
const plural = (count: number, thing: string): string => `${count} ${thing}${count === 1 ? "" : "s"}`;

const NAMES: Readonly<Record<string, string>> = { array: "a list", object: "an object", integer: "a whole number" };
const nameOf = (type: unknown): string => NAMES[String(type)] ?? (type === "null" ? "null" : `a ${String(type)}`);

/** Up to a length that a person reads. */
function show(values: readonly unknown[]): string {
  const all = values.map((value) => canonical(value)).join(", ");
  return all.length <= 300 ? all : `${all.slice(0, 297)}…`;
}

/** What a value of a format looks like, where its name does not tell. */
const EXAMPLES: Readonly<Record<string, string>> = {
  date: "2026-01-31",
  time: "23:59:00Z",
  "date-time": "2026-01-31T23:59:00Z",
  duration: "P1DT12H",
  email: "ada@example.com",
  hostname: "api.example.com",
  ipv4: "192.0.2.1",
  ipv6: "2001:db8::1",
  uri: "https://example.com/a",
  "uri-reference": "/a?b=c",
  "uri-template": "/a/{b}",
  uuid: "123e4567-e89b-12d3-a456-426614174000",
  byte: "cG9ydGljbw==",
  base64url: "cG9ydGljbw",
  "json-pointer": "/a/0",
};

const describeFormat = (name: string): string =>
  Object.hasOwn(EXAMPLES, name) ? `must be a valid ${name}, such as ${EXAMPLES[name]}` : `must be a valid ${name}`;

/** The keywords that look at a value and at nothing else. */
export const ASSERTIONS: Readonly<Record<string, Assertion>> = {
  type: (types, value) => {
    const allowed = Array.isArray(types) ? types : [types];
    for (const type of allowed) if (hasType(value, type)) return undefined;
    return `must be ${allowed.map(nameOf).join(" or ")}, not ${nameOf(typeOf(value))}`;
  },
  enum: (values, value) => {
    if (isListed(values as unknown[], value)) return undefined;
    return `must be one of ${show(values as unknown[])}`;
  },
  const: (allowed, value) => (isEqual(allowed, value) ? undefined : `must be ${show([allowed])}`),
  minimum: number((least, value) => (value >= least ? undefined : `must be at least ${least}`)),
  maximum: number((most, value) => (isAtMost(value, most) ? undefined : `must be at most ${most}`)),
  exclusiveMinimum: number((bound, value) => (value > bound ? undefined : `must be greater than ${bound}`)),
  exclusiveMaximum: number((bound, value) => (value < bound ? undefined : `must be less than ${bound}`)),
  multipleOf: number((factor, value) => (isMultiple(value, factor) ? undefined : `must be a multiple of ${factor}`)),
  minLength: text((least, length) =>
    length >= least ? undefined : `must have at least ${plural(least, "character")}`,
  ),
  maxLength: text((most, length) => (length <= most ? undefined : `must have at most ${plural(most, "character")}`)),
  minItems: list((least, length) => (length >= least ? undefined : `must have at least ${plural(least, "item")}`)),
  maxItems: list((most, length) => (length <= most ? undefined : `must have at most ${plural(most, "item")}`)),
  minProperties: members((least, count) =>
    count >= least ? undefined : `must have at least ${plural(least, "member")}`,
  ),
  maxProperties: members((most, count) => (count <= most ? undefined : `must have at most ${plural(most, "member")}`)),
  pattern: (pattern, value, schema) =>
    typeof value !== "string" || (matcherOf(schema)?.test(value) ?? true)
      ? undefined
      : `must match the pattern ${String(pattern)}`,
  format: (name, value) => {
    const format = FORMATS[name as string];
    return format === undefined || typeOf(value) !== format.type || format.validate(value as never)
      ? undefined
      : describeFormat(String(name));
  },
  uniqueItems: (_, value) => {
    if (!Array.isArray(value)) return undefined;
    const at = findDuplicate(value);
    return at < 0 ? undefined : `must not repeat an item; item ${at} equals an earlier one`;
  },
};
