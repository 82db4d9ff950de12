/**
 * Whole numbers that no double tells apart from their neighbours are held as `bigint`, so that 9223372036854775808 is not
 * taken for the largest int64. A compiled check knows nothing of them; the evaluator does.
 */

const holders = new WeakSet<object>();

/** Remembers that somewhere in a value stands a `bigint`. */
export function markExact(value: unknown): void {
  if (typeof value === "object" && value !== null) holders.add(value);
}

/** True of a `bigint`, and of a value that was marked. */
export const isExact = (value: unknown): boolean =>
  typeof value === "bigint" || (typeof value === "object" && value !== null && holders.has(value));

/** Marks a value if it holds a `bigint`: for values made of pieces, which are small. */
export function noteExact(value: unknown): void {
  if (typeof value === "object" && holdsBigInt(value)) markExact(value);
}

function holdsBigInt(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return typeof value === "bigint";
  return Array.isArray(value) ? value.some(holdsBigInt) : Object.values(value).some(holdsBigInt);
}

const WHOLE = /^-?\d+$/;

/** The number that a text writes: a `bigint` when it is whole and a double would round it. */
export function toNumber(text: string): number | bigint {
  const value = Number(text);
  return Number.isSafeInteger(value) || !Number.isFinite(value) || !WHOLE.test(text) ? value : BigInt(text);
}

/** A bound as its author meant it: these two are what a parser of the document makes of 2⁶³ − 1 and 2⁶⁴ − 1. */
export const toBound = (bound: number): number | bigint =>
  bound === 2 ** 63 ? 2n ** 63n - 1n : bound === 2 ** 64 ? 2n ** 64n - 1n : bound;
