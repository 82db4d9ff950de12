import type { Schema } from "../../src/core/operation.ts";

type Json = Record<string, unknown>;

/** Which of the values that a schema allows: with what is optional or without, and which branch of its choices. */
export interface Wish {
  readonly isFull: boolean;
  readonly branch: number;
}

/** A value made to fit a schema of JSON Schema 2020-12 that is whole in itself. Usually it does; ask a validator. */
export function valueFor(schema: Schema, wish: Wish): unknown {
  const definitions = typeof schema === "object" ? ((schema.$defs ?? {}) as Json) : {};
  return new Maker(definitions, wish).make(schema, 0);
}

const MAX_DEPTH = 6;

class Maker {
  private readonly definitions: Json;
  private readonly wish: Wish;

  constructor(definitions: Json, wish: Wish) {
    this.definitions = definitions;
    this.wish = wish;
  }

  make(schema: unknown, depth: number): unknown {
    if (typeof schema !== "object" || schema === null) return "text";
    const flat = this.flatten(schema as Json);
    if (flat.const !== undefined) return flat.const;
    if (Array.isArray(flat.enum)) {
      const values = flat.enum.filter((value) => value !== null);
      return values.length === 0 ? null : values[this.wish.branch % values.length];
    }
    const type = this.typeOf(flat);
    if (type === "object") return this.object(flat, depth);
    if (type === "array") return this.array(flat, depth);
    if (type === "integer" || type === "number") return numberFor(flat, type === "integer");
    if (type === "boolean") return this.wish.branch % 2 === 0;
    if (type === "null") return null;
    return textFor(flat);
  }

  private typeOf(flat: Json): unknown {
    if (Array.isArray(flat.type)) {
      const types = flat.type.filter((name) => name !== "null");
      return types.length === 0 ? "null" : types[this.wish.branch % types.length];
    }
    if (flat.type !== undefined) return flat.type;
    if (flat.properties !== undefined || flat.required !== undefined || flat.additionalProperties !== undefined)
      return "object";
    if (flat.items !== undefined || flat.prefixItems !== undefined) return "array";
    return flat.minimum !== undefined || flat.maximum !== undefined ? "number" : "string";
  }

  private object(flat: Json, depth: number): Json {
    const properties = (flat.properties ?? {}) as Json;
    const required = new Set((flat.required as string[] | undefined) ?? []);
    const names = new Set([...required].filter((name) => !this.isReadOnly(properties[name])));
    const wanted = this.wish.isFull && depth < MAX_DEPTH ? Number.POSITIVE_INFINITY : Number(flat.minProperties ?? 0);
    const most = Number(flat.maxProperties ?? Number.POSITIVE_INFINITY);
    for (const name of Object.keys(properties)) {
      if (names.size >= wanted || names.size >= most) break;
      if (properties[name] !== false && !this.isReadOnly(properties[name])) names.add(name);
    }
    const made = Object.create(null) as Json;
    for (const name of names) made[name] = this.make(properties[name] ?? this.otherMember(flat, name), depth + 1);
    for (let i = 0; Object.keys(made).length < Number(flat.minProperties ?? 0) && i < 10; i++) {
      made[`key${i}`] = this.make(this.otherMember(flat, `key${i}`), depth + 1);
    }
    return made;
  }

  private otherMember(flat: Json, name: string): unknown {
    for (const [pattern, schema] of Object.entries((flat.patternProperties ?? {}) as Json)) {
      if (new RegExp(pattern, "u").test(name)) return schema;
    }
    return flat.additionalProperties ?? {};
  }

  private isReadOnly(schema: unknown): boolean {
    return typeof schema === "object" && schema !== null && this.flatten(schema as Json).readOnly === true;
  }

  private array(flat: Json, depth: number): unknown[] {
    const first = (flat.prefixItems as unknown[] | undefined) ?? [];
    const least = Number(flat.minItems ?? 0);
    const wanted = this.wish.isFull && depth < MAX_DEPTH ? Math.max(1, first.length) : 0;
    const count = Math.min(Math.max(least, wanted), Number(flat.maxItems ?? Number.POSITIVE_INFINITY), 1000);
    return Array.from({ length: count }, (_, i) => {
      const made = this.make(first[i] ?? flat.items ?? {}, depth + 1);
      return flat.uniqueItems === true && i > 0 ? distinct(made, i) : made;
    });
  }

  /** References opened, `allOf` joined, and one branch of each choice taken. */
  flatten(schema: Json): Json {
    let flat: Json = schema;
    for (let i = 0; i < 60; i++) {
      const { $ref, allOf, oneOf, anyOf, if: condition, then, else: otherwise, ...rest } = flat;
      const parts: unknown[] = [];
      if (typeof $ref === "string") parts.push(this.definitions[decodeURIComponent($ref.slice("#/$defs/".length))]);
      if (Array.isArray(allOf)) parts.push(...allOf);
      for (const choice of [oneOf, anyOf]) if (Array.isArray(choice)) parts.push(this.choose(choice));
      if (condition !== undefined && this.holds(condition, flat)) parts.push(then);
      if (parts.length === 0) return flat;
      flat = rest;
      for (const part of parts) flat = join(flat, typeof part === "object" && part !== null ? (part as Json) : {});
    }
    return flat;
  }

  /** What a discriminator was brought to: the property has one value, and that chooses. */
  private holds(condition: unknown, flat: Json): boolean {
    const [name, wanted] = Object.entries(((condition as Json).properties ?? {}) as Json)[0] ?? [];
    const own = name === undefined ? undefined : ((flat.properties as Json | undefined)?.[name] as Json | undefined);
    const values = (wanted as Json | undefined)?.enum ?? [(wanted as Json | undefined)?.const];
    const chosen = own === undefined ? undefined : this.make(own, MAX_DEPTH);
    return Array.isArray(values) && values.includes(chosen);
  }

  private choose(choice: readonly unknown[]): unknown {
    const real = choice.filter((part) => (part as Json | null)?.type !== "null");
    return real.length === 0 ? choice[0] : real[this.wish.branch % real.length];
  }
}

function join(a: Json, b: Json): Json {
  const properties: Json = Object.assign(Object.create(null), a.properties);
  for (const [name, schema] of Object.entries((b.properties ?? {}) as Json)) {
    properties[name] = Object.hasOwn(properties, name) ? { allOf: [properties[name], schema] } : schema;
  }
  const joined: Json = { ...a, ...b };
  if (a.properties !== undefined || b.properties !== undefined) joined.properties = properties;
  if (a.required !== undefined || b.required !== undefined) {
    joined.required = [...((a.required as string[]) ?? []), ...((b.required as string[]) ?? [])];
  }
  if (Array.isArray(a.enum) && Array.isArray(b.enum)) {
    const other = b.enum;
    joined.enum = a.enum.filter((value) => other.includes(value));
  }
  for (const key of ["minimum", "minLength", "minItems"]) {
    if (a[key] !== undefined && b[key] !== undefined) joined[key] = Math.max(Number(a[key]), Number(b[key]));
  }
  for (const key of ["allOf", "oneOf", "anyOf"]) {
    if (a[key] !== undefined && b[key] !== undefined) {
      if (key === "allOf") joined.allOf = [...(a.allOf as unknown[]), ...(b.allOf as unknown[])];
      else {
        delete joined[key];
        joined.allOf = [...((joined.allOf as unknown[]) ?? []), { [key]: a[key] }, { [key]: b[key] }];
      }
    }
  }
  return joined;
}

function distinct(value: unknown, i: number): unknown {
  if (typeof value === "number") return value + i;
  if (typeof value === "string") return value.length > 1 ? `${value.slice(0, -1)}${i.toString(36).slice(-1)}` : `${i}`;
  return value;
}

function numberFor(flat: Json, isInteger: boolean): number {
  const least = Math.max(
    Number(flat.minimum ?? Number.NEGATIVE_INFINITY),
    Number(flat.exclusiveMinimum ?? Number.NEGATIVE_INFINITY) + (isInteger ? 1 : 0.5),
  );
  const most = Math.min(
    Number(flat.maximum ?? Number.POSITIVE_INFINITY),
    Number(flat.exclusiveMaximum ?? Number.POSITIVE_INFINITY) - (isInteger ? 1 : 0.5),
  );
  const step = Number(flat.multipleOf ?? 0);
  const wanted = step > 0 ? step : 1;
  if (wanted >= least && wanted <= most) return wanted;
  const edge = Number.isFinite(least) ? least : most;
  return step > 0 ? Math.ceil(edge / step) * step : isInteger ? Math.ceil(edge) : edge;
}

const BY_FORMAT: Readonly<Record<string, string>> = {
  "date-time": "2026-01-02T03:04:05Z",
  date: "2026-01-02",
  time: "03:04:05Z",
  duration: "P1D",
  uuid: "123e4567-e89b-12d3-a456-426614174000",
  email: "someone@example.com",
  "idn-email": "someone@example.com",
  uri: "https://example.com/",
  iri: "https://example.com/",
  url: "https://example.com/",
  "uri-reference": "/a",
  "uri-template": "/a/{b}",
  hostname: "example.com",
  ipv4: "192.0.2.1",
  ipv6: "2001:db8::1",
  byte: "dGV4dA==",
  regex: "a",
  "json-pointer": "/a",
};
const CANDIDATES = [
  "abc",
  "1",
  "12",
  "a",
  "A",
  "AB",
  "USD",
  "en-US",
  "0123456789",
  "0123456789abcdef",
  "0123456789ABCDEF0123456789ABCDEF",
  "0123456789abcdef0123456789abcdef01234567",
  "2026-01-02",
  "2026-01-02T03:04:05Z",
  "2026-01",
  "12:30",
  "1.0.0",
  "1.5",
  "+15551234567",
  "someone@example.com",
  "https://example.com/",
  "/a",
  "#ff0000",
  "123e4567-e89b-12d3-a456-426614174000",
  `sha256:${"0".repeat(64)}`,
  "ssh-rsa AAAA",
];

function textFor(flat: Json): string {
  const texts = [flat.default, ...((flat.examples as unknown[] | undefined) ?? [])].filter(
    (e) => typeof e === "string",
  );
  const least = Number(flat.minLength ?? 0);
  const most = Number(flat.maxLength ?? Number.POSITIVE_INFINITY);
  if (typeof flat.pattern === "string") {
    const pattern = new RegExp(flat.pattern, "u");
    const known = [
      ...texts,
      ...prefixed(flat.pattern),
      ...CANDIDATES,
      "a".repeat(least),
      "A".repeat(least),
      "1".repeat(least),
    ];
    const fits = known.find((text) => pattern.test(text) && text.length >= least && text.length <= most);
    if (fits !== undefined) return fits;
  }
  const known = BY_FORMAT[String(flat.format)];
  if (known !== undefined) return known;
  return "abc".padEnd(least, "c").slice(0, most);
}

/** `^AC[0-9a-fA-F]{32}$` and its like: a literal, one class, and how many of it. */
function prefixed(pattern: string): string[] {
  const parts = /^\^?([A-Za-z0-9_-]*)(?:\[[^\]]+\]|\\[dw])\{(\d+)(?:,\d*)?\}\$?$/.exec(pattern);
  if (parts === null) return [];
  return ["a", "A", "0", "1"].map((character) => (parts[1] as string) + character.repeat(Number(parts[2])));
}
