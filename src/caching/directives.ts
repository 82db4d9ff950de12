import { FieldGroup } from "../core/field-group.ts";
import type { HeaderList } from "../core/headers.ts";

/** What a `Cache-Control` says, of a request or of a response. Undefined: the directive is not there. */
export interface Directives {
  /** Seconds; malformed or repeated with different values counts as 0, so as stale. RFC 9111 §4.2.1. */
  readonly maxAge?: number;
  readonly sMaxAge?: number;
  readonly staleWhileRevalidate?: number;
  readonly staleIfError?: number;
  readonly minFresh?: number;
  /** Infinity: whatever its age. */
  readonly maxStale?: number;
  readonly noStore?: boolean;
  /** Fields that must not be reused; empty: the whole answer. */
  readonly noCache?: readonly string[];
  readonly private?: readonly string[];
  readonly public?: boolean;
  readonly mustRevalidate?: boolean;
  readonly proxyRevalidate?: boolean;
  readonly mustUnderstand?: boolean;
  readonly onlyIfCached?: boolean;
}
type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Above this a delta-seconds means "very long" (RFC 9111 §1.2.2). */
export const MAX_DELTA_SECONDS = 2 ** 31;
const NONE: Directives = Object.freeze({});

/** One member of the list: a name, and an argument as a token or a quoted string. */
const MEMBER =
  /[\t ]*(?:([!#$%&'*+\-.^_`|~0-9A-Za-z]+)(?:=("(?:[^"\\]|\\.)*"|[^",]*))?[\t ]*(?=,|$)|[^,"]*("(?:[^"\\]|\\.)*"?)?[^,]*)(?:,|$)/y;

/**
 * Parses `Cache-Control`, however badly written: a member that cannot be read is as good as unknown, and a directive
 * whose argument cannot be read takes the meaning that reuses least.
 * @param value all field lines joined by commas
 */
export function parseDirectives(value: string): Directives {
  const found: Mutable<Directives> = {};
  MEMBER.lastIndex = 0;
  while (MEMBER.lastIndex < value.length) {
    const match = MEMBER.exec(value);
    if (match === null) break;
    if (match[1] !== undefined) take(found, match[1].toLowerCase(), match[2]);
    else takeBroken(found, match[0]);
  }
  return found;
}

const FIELD_NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;

/** `max-age =60`: not a directive by the grammar, but its writer meant one: stale, rather than never heard of. */
function takeBroken(found: Mutable<Directives>, member: string): void {
  const name = /^[\t ]*(s-maxage|max-age|no-store|no-cache|private|must-revalidate|proxy-revalidate)\b/i
    .exec(member)?.[1]
    ?.toLowerCase();
  if (name !== undefined) take(found, name, name.endsWith("age") ? "" : undefined);
}

function take(found: Mutable<Directives>, name: string, argument: string | undefined): void {
  switch (name) {
    case "max-age":
      found.maxAge = Math.min(found.maxAge ?? Infinity, toSeconds(argument) ?? 0);
      break;
    case "s-maxage":
      found.sMaxAge = Math.min(found.sMaxAge ?? Infinity, toSeconds(argument) ?? 0);
      break;
    case "stale-while-revalidate":
      found.staleWhileRevalidate = Math.min(found.staleWhileRevalidate ?? Infinity, toSeconds(argument) ?? 0);
      break;
    case "stale-if-error":
      found.staleIfError = Math.min(found.staleIfError ?? Infinity, toSeconds(argument) ?? 0);
      break;
    case "min-fresh":
      found.minFresh = toSeconds(argument) ?? MAX_DELTA_SECONDS;
      break;
    case "max-stale":
      found.maxStale = argument === undefined ? Infinity : (toSeconds(argument) ?? 0);
      break;
    case "no-cache":
      found.noCache = joinFields(found.noCache, argument);
      break;
    case "private":
      found.private = joinFields(found.private, argument);
      break;
    case "no-store":
      found.noStore = true;
      break;
    case "public":
      found.public = true;
      break;
    case "must-revalidate":
      found.mustRevalidate = true;
      break;
    case "proxy-revalidate":
      found.proxyRevalidate = true;
      break;
    case "must-understand":
      found.mustUnderstand = true;
      break;
    case "only-if-cached":
      found.onlyIfCached = true;
      break;
  }
}

/** Delta-seconds, as a token or quoted (RFC 9111 §5.2). @returns undefined when it is neither */
export function toSeconds(argument: string | undefined): number | undefined {
  const digits = argument === undefined ? undefined : /^(?:"(\d+)"|(\d+))$/.exec(argument.trim());
  if (digits === undefined || digits === null) return undefined;
  return Math.min(Number(digits[1] ?? digits[2]), MAX_DELTA_SECONDS);
}

/**
 * An empty list speaks of the whole answer, and wins over a list of fields. One that holds anything but names of fields,
 * or whose quote never ends, is taken for the whole answer as well.
 */
function joinFields(known: readonly string[] | undefined, argument: string | undefined): readonly string[] {
  const text = argument === undefined ? "" : argument.trim();
  const fields = (text.length > 1 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text)
    .split(",")
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "");
  if (fields.length === 0 || known?.length === 0 || !fields.every((name) => FIELD_NAME.test(name))) return [];
  return known === undefined ? fields : [...known, ...fields];
}

/** Fields that speak to this cache alone, before `Cache-Control`. RFC 9213. */
const TARGETED = new FieldGroup("cdn-cache-control");

/**
 * The directives of a response that bind a shared gateway cache: those of the first targeted field that is a valid,
 * non-empty structured field, else `Cache-Control`.
 * @returns isTargeted: then `Expires` and `Pragma` mean nothing either (RFC 9213 §2.2)
 */
export function responseDirectives(headers: HeaderList): { directives: Directives; isTargeted: boolean } {
  if (headers.hasAnyOf(TARGETED)) {
    const targeted = findTargeted(headers);
    if (targeted !== undefined) return { directives: targeted, isTargeted: true };
  }
  const value = headers.getJoined("cache-control");
  return value === undefined ? SAYS_NOTHING : known.find(value);
}

function findTargeted(headers: HeaderList): Directives | undefined {
  for (const name of TARGETED) {
    const value = headers.getJoined(name);
    const members = value === undefined ? undefined : findDictionary(value);
    if (members === undefined || members.size === 0) continue;
    const found: Mutable<Directives> = {};
    for (const [key, { kind, text }] of members) {
      if (kind === "boolean" && text === "?0") continue;
      // An argument of the wrong type makes its directive as if unknown (RFC 9213 §2.1), which here reuses less.
      if (NUMERIC.has(key) && kind !== "integer") continue;
      take(found, key, kind === "boolean" ? undefined : text);
    }
    return found;
  }
  return undefined;
}

const SAYS_NOTHING = { directives: NONE, isTargeted: false };

/** Few texts come from one upstream, over and over: each is read once. Bounded; the oldest makes room. */
class KnownTexts {
  private readonly byText = new Map<string, { directives: Directives; isTargeted: boolean }>();
  /** The last one: to compare with it costs less than to hash. */
  private text = "";
  private found = SAYS_NOTHING;

  find(text: string): { directives: Directives; isTargeted: boolean } {
    if (text !== this.text) {
      this.found = this.findAny(text);
      this.text = text;
    }
    return this.found;
  }

  private findAny(text: string): { directives: Directives; isTargeted: boolean } {
    let found = this.byText.get(text);
    if (found === undefined) {
      found = { directives: Object.freeze(parseDirectives(text)), isTargeted: false };
      if (text.length > 200) return found;
      if (this.byText.size >= 256) this.byText.delete(this.byText.keys().next().value as string);
      this.byText.set(text, found);
    }
    return found;
  }
}
const known = new KnownTexts();
const NUMERIC = new Set(["max-age", "s-maxage", "stale-while-revalidate", "stale-if-error"]);

interface Item {
  readonly kind: "boolean" | "integer" | "other";
  readonly text: string;
}
const KEY = /[a-z*][a-z0-9_\-.*]*/y;
const BARE =
  /(?:(\?[01])|(-?\d{1,15})(?![\d.])|-?\d{1,12}\.\d{1,3}(?!\d)|"(?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*"|:[A-Za-z0-9+/=]*:|[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*|@-?\d{1,15})/y;
/** Of an inner list only that it is one: no directive takes it. */
const INNER_LIST = /\((?:[^()"]|"(?:[^"\\]|\\.)*")*\)/y;
const SEPARATOR = /[\t ]*(?:,[\t ]*|$)/y;

/** A structured-field dictionary (RFC 9651 §4.2.2). @returns undefined when it is not one */
export function findDictionary(value: string): Map<string, Item> | undefined {
  const members = new Map<string, Item>();
  const text = value.replace(/^ +| +$/g, "");
  let at = 0;
  while (at < text.length) {
    const key = matchAt(KEY, text, at);
    if (key === undefined) return undefined;
    at += key[0].length;
    let item: Item = { kind: "boolean", text: "?1" };
    if (text[at] === "=") {
      const bare = matchAt(BARE, text, at + 1) ?? matchAt(INNER_LIST, text, at + 1);
      if (bare === undefined) return undefined;
      at += 1 + bare[0].length;
      item = { kind: bare[1] ? "boolean" : bare[2] ? "integer" : "other", text: bare[0] };
    }
    while (text[at] === ";") {
      const start = at + 1 + (/^ */.exec(text.slice(at + 1))?.[0].length ?? 0);
      const parameter = matchAt(KEY, text, start);
      if (parameter === undefined) return undefined;
      at = start + parameter[0].length;
      if (text[at] !== "=") continue;
      const bare = matchAt(BARE, text, at + 1);
      if (bare === undefined) return undefined;
      at += 1 + bare[0].length;
    }
    members.set(key[0], item);
    const separator = matchAt(SEPARATOR, text, at);
    if (separator === undefined) return undefined;
    at += separator[0].length;
    if (at === text.length && separator[0].includes(",")) return undefined;
  }
  return members;
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text) ?? undefined;
}
