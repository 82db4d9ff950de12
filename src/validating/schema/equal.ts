/** A text that is equal for equal JSON values, whatever the order of their members. */
export const canonical = (value: unknown): string => (isOrdered(value) ? JSON.stringify(value) : write(value));

/** Whether the members of all objects stand in the order that {@link write} would bring them to. */
function isOrdered(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return typeof value !== "bigint" && value !== undefined;
  if (Array.isArray(value)) return value.every(isOrdered);
  let last = "";
  for (const name in value) {
    if (name < last || !isOrdered((value as Record<string, unknown>)[name])) return false;
    last = name;
  }
  return true;
}

function write(value: unknown): string {
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "undefined";
  if (Array.isArray(value)) return `[${value.map(write).join(",")}]`;
  const members = Object.keys(value).sort();
  return `{${members.map((name) => `${JSON.stringify(name)}:${write((value as Record<string, unknown>)[name])}`).join(",")}}`;
}

/**
 * The first item that equals an earlier one. In time linear with the text of the array, where comparing each with each
 * would take 10¹⁰ comparisons for 10⁵ objects. ATTACKS 39.
 * @returns −1 when all differ
 */
export function findDuplicate(items: readonly unknown[]): number {
  const scalars = new Set<unknown>();
  // Objects whose outlines differ are not written out: mostly that is all of them.
  const outlines = new Map<number, number>();
  let texts: Set<string> | undefined;
  for (let i = 0; i < items.length; i++) {
    const item = items[i];
    if (typeof item !== "object" || item === null) {
      if (scalars.has(item)) return i;
      scalars.add(item);
      continue;
    }
    const outline = outlineOf(item);
    const known = outlines.get(outline);
    if (known === undefined) {
      outlines.set(outline, i);
      continue;
    }
    texts ??= new Set();
    if (known >= 0) {
      texts.add(canonical(items[known]));
      outlines.set(outline, -1);
    }
    const text = canonical(item);
    if (texts.has(text)) return i;
    texts.add(text);
  }
  return -1;
}

/** So deep an outline goes. */
const OUTLINE_DEPTH = 4;

/** A number that is the same for equal objects and arrays: of what is in them, whatever the order of the members. */
function outlineOf(item: object, depth = 0): number {
  let outline = Array.isArray(item) ? 1 : 2;
  if (Array.isArray(item)) {
    for (let i = 0; i < item.length; i++) outline = (outline + Math.imul(i + 31, outlineWithin(item[i], depth))) | 0;
    return outline;
  }
  for (const name in item) {
    const value = (item as Record<string, unknown>)[name];
    outline = (outline + Math.imul(lastUnit(name) * 31 + name.length, outlineWithin(value, depth))) | 0;
  }
  return outline;
}

const outlineWithin = (value: unknown, depth: number): number =>
  typeof value !== "object" || value === null
    ? outlineOfScalar(value)
    : depth < OUTLINE_DEPTH
      ? outlineOf(value, depth + 1)
      : 5;

function outlineOfScalar(value: unknown): number {
  if (typeof value === "number") return (value % 0x7fffffff) | 0;
  if (typeof value !== "string") return value === true ? 3 : 5;
  return Math.imul(lastUnit(value) + 7, 31) + Math.imul(value.charCodeAt(value.length >> 1) | 0, 7) + value.length;
}

const lastUnit = (text: string): number => text.charCodeAt(text.length - 1) | 0;

export function isEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  // A number in a document is a double: its neighbours cannot be told apart.
  if (typeof b === "bigint") return a === Number(b);
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  return canonical(a) === canonical(b);
}

/** Decimal fractions are not exact in binary: 19.99 is a multiple of 0.01 though 19.99 / 0.01 is 1998.9999999999998. */
export function isMultiple(value: number | bigint, factor: number): boolean {
  if (typeof value === "bigint") {
    return Number.isInteger(factor) ? value % BigInt(factor) === 0n : isMultiple(Number(value), factor);
  }
  const quotient = value / factor;
  if (!Number.isFinite(quotient)) return value % factor === 0;
  return (
    Math.abs(Math.round(quotient) - quotient) <= 1e-8 * Math.min(1, Math.max(Math.abs(quotient), Number.MIN_VALUE))
  );
}

/** Characters as JSON Schema counts them: code points, not UTF-16 units. */
export function countCharacters(text: string): number {
  let count = text.length;
  for (let i = 0; i < text.length - 1; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0xd800 || unit > 0xdbff) continue;
    const next = text.charCodeAt(i + 1);
    if (next < 0xdc00 || next > 0xdfff) continue;
    count--;
    i++;
  }
  return count;
}
