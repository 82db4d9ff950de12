import type { SchemaObject } from "../schema/keywords.ts";
import { type Random, samplePattern } from "./pattern-sample.ts";

const hex = (random: Random, count: number): string =>
  Array.from({ length: count }, () => Math.floor(random() * 16).toString(16)).join("");

/** A text of each format, different for different numbers where that is easy. */
const FORMATS: Readonly<Record<string, (random: Random) => string>> = {
  date: (random) => `2026-0${1 + Math.floor(random() * 9)}-15`,
  time: () => "12:30:00Z",
  "date-time": (random) => `2026-0${1 + Math.floor(random() * 9)}-15T12:30:00Z`,
  duration: () => "P1DT2H",
  uuid: (random) => `${hex(random, 8)}-${hex(random, 4)}-4${hex(random, 3)}-8${hex(random, 3)}-${hex(random, 12)}`,
  email: (random) => `user-${hex(random, 4)}@example.com`,
  "idn-email": (random) => `user-${hex(random, 4)}@example.com`,
  hostname: () => "host.example.com",
  "idn-hostname": () => "host.example.com",
  ipv4: () => "192.0.2.1",
  ipv6: () => "2001:db8::1",
  uri: (random) => `https://example.com/${hex(random, 6)}`,
  url: (random) => `https://example.com/${hex(random, 6)}`,
  iri: (random) => `https://example.com/${hex(random, 6)}`,
  "uri-reference": () => "/items/1",
  "iri-reference": () => "/items/1",
  "uri-template": () => "/items/{id}",
  "json-pointer": () => "/items/0",
  "relative-json-pointer": () => "1/items",
  regex: () => "^[a-z]+$",
  byte: () => "UG9ydGljbw==",
  base64url: () => "UG9ydGljbw",
};

const WORDS = ["amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "haven", "inlet", "jetty"];

export function sampleString(schema: SchemaObject, random: Random): string {
  const least = Number(schema.minLength ?? 0);
  const most = Number(schema.maxLength ?? Number.POSITIVE_INFINITY);
  const make =
    typeof schema.format === "string" && Object.hasOwn(FORMATS, schema.format) ? FORMATS[schema.format] : undefined;
  if (make !== undefined) return make(random);
  let text =
    typeof schema.pattern === "string"
      ? samplePattern(schema.pattern, random)
      : (WORDS[Math.floor(random() * WORDS.length)] as string);
  if (typeof schema.pattern === "string") return text;
  while (text.length < least && text.length < 100_000) text += ` ${WORDS[Math.floor(random() * WORDS.length)]}`;
  return text.length > most ? text.slice(0, most) : text;
}

const RANGES: Readonly<Record<string, readonly [number, number]>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32_768, 32_767],
  uint16: [0, 65_535],
};

export function sampleNumber(schema: SchemaObject, isInteger: boolean, random: Random): number {
  const range = RANGES[String(schema.format)] ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const factor = typeof schema.multipleOf === "number" ? schema.multipleOf : isInteger ? 1 : 0.5;
  const step = isInteger && !Number.isInteger(factor) ? factor * 10 : factor;
  const low = Math.max(
    range[0],
    Number(schema.minimum ?? -Infinity),
    Number(schema.exclusiveMinimum ?? -Infinity) + step / 2,
  );
  const high = Math.min(
    range[1],
    Number(schema.maximum ?? Infinity),
    Number(schema.exclusiveMaximum ?? Infinity) - step / 2,
  );
  const start = Number.isFinite(low) ? low : Number.isFinite(high) ? high - 100 * step : 0;
  const end = Number.isFinite(high) ? high : start + 100 * step;
  const first = Math.ceil(start / step);
  const last = Math.max(first, Math.floor(end / step));
  const count = first + Math.floor(random() * Math.min(1_000, last - first + 1));
  return Number((count * step).toPrecision(15));
}
