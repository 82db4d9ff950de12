import { isAscii, isUtf8 } from "node:buffer";
import { randomUUID } from "node:crypto";
import { complete, type Steps } from "../../core/slices.ts";
import { Malformed } from "../parameters/decode.ts";
import { markExact, toNumber } from "../schema/exact.ts";

/** Nesting that is taken. Deeper is nobody's data, and recursion over it would end in a full stack. ATTACKS 40. */
const MAX_DEPTH = 512;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
/** `[` and `{`, `]` and `}` are one bit apart. */
const CASE = 0x20;
const OPENING = 0x7b;
const CLOSING = 0x7d;

const NOT_UTF8 = new Malformed("parse", "is not UTF-8; JSON is always UTF-8 (RFC 8259 §8.1)");
const HAS_BOM = new Malformed("parse", "starts with a byte order mark; JSON has none (RFC 8259 §8.1)");
const TOO_DEEP = new Malformed("parse", `is nested deeper than ${MAX_DEPTH} levels`);
const DUPLICATE = new Malformed("parse", "has an object that names a member twice; readers differ on which one counts");
const OUT_OF_RANGE = new Malformed("parse", "has a number that no double can hold");
const LONE_SURROGATE = new Malformed("parse", "has half of a surrogate pair, which is no character");
const NOT_JSON = new Malformed("parse", "is not JSON");

/**
 * Reads JSON so that no other reader could see something else in the same bytes (ATTACKS 40): what is ambiguous is
 * refused. `JSON.parse` keeps one of two equal names, so fewer members in the value than colons in the text means a duplicate.
 * @returns the value, or why there is none
 */
export const parseJson = (bytes: Buffer): unknown => complete(readJson(bytes));

/** Likewise, with places to pause: each step of a megabyte takes milliseconds. */
export function* readJson(bytes: Buffer): Steps<unknown> {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return HAS_BOM;
  const colons = countColons(bytes);
  if (colons < 0) return TOO_DEEP;
  const isPlain = isAscii(bytes);
  if (!isPlain && !isUtf8(bytes)) return NOT_UTF8;
  const text = bytes.toString(isPlain ? "latin1" : "utf8");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return bytes.includes(0) ? NOT_UTF8 : NOT_JSON;
  }
  yield;
  const found = new Findings();
  found.walk(value);
  if (found.isBeyondDouble) return OUT_OF_RANGE;
  if (found.members !== colons) return DUPLICATE;
  yield;
  if (SURROGATE.test(text) && !isWellFormed(value)) return LONE_SURROGATE;
  if (!found.isRounded) return value;
  yield;
  return parseExactly(text);
}

/**
 * Colons outside texts: each member has one.
 * @returns −1 for what is nested too deep, told before a parser builds it, which takes ten times as long
 */
function countColons(bytes: Buffer): number {
  let count = 0;
  let depth = 0;
  const { length } = bytes;
  for (let i = 0; i < length; i++) {
    const byte = bytes[i] as number;
    if (byte === QUOTE) {
      for (i++; i < length && bytes[i] !== QUOTE; i++) if (bytes[i] === BACKSLASH) i++;
    } else if (byte === COLON) count++;
    else if ((byte | CASE) === OPENING) {
      if (++depth > MAX_DEPTH) return -1;
    } else if ((byte | CASE) === CLOSING) depth--;
  }
  return count;
}

/** What a walk over a parsed value tells. */
class Findings {
  members = 0;
  /** JSON.parse makes a number infinite that no double holds. */
  isBeyondDouble = false;
  /** A whole number so large that a double may have rounded it. */
  isRounded = false;

  walk(value: unknown): void {
    if (typeof value === "number") this.look(value);
    if (typeof value !== "object" || value === null) return;
    if (Array.isArray(value)) {
      for (let i = 0; i < value.length; i++) {
        const item: unknown = value[i];
        if (typeof item === "object") this.walk(item);
        else if (typeof item === "number") this.look(item);
      }
      return;
    }
    // JSON.parse makes plain objects: nothing is inherited that could be enumerated.
    for (const name in value) {
      this.members++;
      const member = (value as Record<string, unknown>)[name];
      if (typeof member === "object") this.walk(member);
      else if (typeof member === "number") this.look(member);
    }
  }

  private look(value: number): void {
    if (value <= Number.MAX_SAFE_INTEGER && value >= Number.MIN_SAFE_INTEGER) return;
    if (Number.isFinite(value)) this.isRounded = true;
    else this.isBeyondDouble = true;
  }
}

/** Texts, which are skipped, and whole numbers that a double may round. */
const LONG_NUMBERS = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d{16,}(?![\d.eE])/g;

/** Parses again, whole numbers that a double would round as `bigint`. @param text that has been parsed before */
function parseExactly(text: string): unknown {
  // Nobody who wrote the body could know it.
  const mark = randomUUID();
  const marked = text.replace(LONG_NUMBERS, (token) => (token.startsWith('"') ? token : `"${mark}${token}"`));
  const value: unknown = JSON.parse(marked, (_, member: unknown) =>
    typeof member === "string" && member.startsWith(mark) ? toNumber(member.slice(mark.length)) : member,
  );
  markExact(value);
  return value;
}

/** Half of a surrogate pair, perhaps with its other one. */
const SURROGATE = /\\u[dD][89a-fA-F]/;

const isWellFormed = (value: unknown): boolean =>
  everyLeaf(value, (leaf) => typeof leaf !== "string" || (leaf as string & { isWellFormed(): boolean }).isWellFormed());

/** Calls back for every name and every value that is neither object nor array, until one is refused. */
function everyLeaf(value: unknown, isGood: (leaf: unknown) => boolean): boolean {
  if (typeof value !== "object" || value === null) return isGood(value);
  if (Array.isArray(value)) return value.every((item) => everyLeaf(item, isGood));
  return Object.entries(value).every(([name, member]) => isGood(name) && everyLeaf(member, isGood));
}
