import type { Operation, Parameter } from "../core/operation.ts";

/** The texts that a parameter's schema allows, as far as telling templates apart needs to know. */
export interface Domain {
  /** The lower, the fewer texts fit. Of two ranks the lower is tried first. */
  readonly rank: number;
  /** All of them, when they are few. */
  readonly values: ReadonlySet<string> | undefined;
  test(text: string): boolean;
}

const ANY: Domain = { rank: 9, values: undefined, test: () => true };
const INTEGER = /^-?\d{1,40}$/;
const NUMBER = /^-?\d{1,40}(?:\.\d{1,40})?(?:[eE][-+]?\d{1,5})?$/;
const FORMATS: Readonly<Record<string, RegExp>> = {
  uuid: /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i,
  date: /^\d{4}-\d\d-\d\d$/,
  "date-time": /^\d{4}-\d\d-\d\d[Tt ]/,
  ipv4: /^(?:\d{1,3}\.){3}\d{1,3}$/,
  email: /^[^@\s]{1,200}@[^@\s]{1,200}$/,
};

/** @returns every text, for a parameter that says nothing of its values */
export function toDomain(operation: Operation, parameter: Parameter | undefined): Domain {
  if (parameter?.schema === undefined) return ANY;
  const schema = operation.spec.bundle(parameter.schema);
  if (typeof schema === "boolean") return ANY;
  const { enum: listed, const: only, type, format, pattern, minimum, maximum } = schema;
  if (only !== undefined) return valuesDomain([only]);
  if (Array.isArray(listed)) return valuesDomain(listed);
  if (type === "boolean") return valuesDomain([true, false]);
  if (type === "integer" || type === "number") {
    const shape = type === "integer" ? INTEGER : NUMBER;
    const low = typeof minimum === "number" ? minimum : Number.NEGATIVE_INFINITY;
    const high = typeof maximum === "number" ? maximum : Number.POSITIVE_INFINITY;
    const test = (text: string): boolean => shape.test(text) && Number(text) >= low && Number(text) <= high;
    return { rank: type === "integer" ? 3 : 4, values: undefined, test };
  }
  const shape = FORMATS[String(format)];
  if (shape !== undefined) return { rank: 2, values: undefined, test: (text) => shape.test(text) };
  if (typeof pattern === "string" && isPlainPattern(pattern)) {
    const compiled = new RegExp(pattern, "u");
    return { rank: 5, values: undefined, test: (text) => text.length <= 256 && compiled.test(text) };
  }
  return ANY;
}

const valuesDomain = (listed: readonly unknown[]): Domain => {
  const values = new Set(listed.map(String));
  return { rank: 1, values, test: (text) => values.has(text) };
};

/** Character classes and counts of them, one after the other: what no input can make slow. */
const isPlainPattern = (source: string): boolean =>
  source.length < 200 && /^\^?(?:(?:\[[^\][\\]*\]|\\[dws]|[A-Za-z0-9_-])(?:\{\d+(?:,\d*)?\}|[+*?])?)+\$?$/.test(source);

const SAMPLES: Readonly<Record<number, readonly string[]>> = {
  2: ["123e4567-e89b-12d3-a456-426614174000", "2026-01-02", "2026-01-02T03:04:05Z", "192.0.2.1", "a@example.com"],
};

/** Whether no text fits both. What cannot be known counts as no. */
export function isDisjoint(a: Domain, b: Domain): boolean {
  if (a.values !== undefined) return [...a.values].every((value) => !b.test(value));
  if (b.values !== undefined) return [...b.values].every((value) => !a.test(value));
  // Two formats are apart when no sample of one is the other.
  const samples = a.rank === 2 && b.rank === 2 ? SAMPLES[2] : undefined;
  return samples?.every((text) => !(a.test(text) && b.test(text))) ?? false;
}
