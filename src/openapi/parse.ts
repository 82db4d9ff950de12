import { CORE_SCHEMA, EVENT_ID, load, mergeTag, parseEvents, YAMLException } from "js-yaml";
import { findJsonError } from "./json-error.ts";
import { SpecError } from "./spec-error.ts";

/** Deeper than any real document: 10,000 nested `allOf` would overflow the stack of whatever walks it. ATTACKS 39. */
export const MAX_DEPTH = 256;
/** Values that aliases may add up to when each is written out: a bomb of 100 lines has 10⁹. ATTACKS 51. */
const MAX_EXPANDED = 5_000_000;

// YAML 1.2's core: no dates, no `!!js`, no tags that make objects. `<<` is not of 1.2, but of many real documents.
const YAML = CORE_SCHEMA.withTags(mergeTag);

/** @throws SpecError with line and column */
export function parseSource(text: string, file: string): unknown {
  const source = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  return /^\s*[{[]/.test(source.slice(0, 1000)) ? parseJson(source, file) : parseYaml(source, file);
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    // A flow mapping of YAML may begin like JSON.
    if (!file.endsWith(".json")) return parseYaml(text, file);
    const at = findJsonError(text);
    const found =
      at < text.length ? `${JSON.stringify(text.slice(at, at + 12))} should not be there` : "its end is missing";
    throw new SpecError(`is not JSON: ${found}`, { file, ...toPlace(text, at) }, { cause });
  }
}

function parseYaml(text: string, file: string): unknown {
  let value: unknown;
  try {
    value = load(text, { schema: YAML, maxDepth: MAX_DEPTH });
  } catch (cause) {
    if (!(cause instanceof YAMLException)) throw new SpecError("is not YAML that can be read", { file }, { cause });
    const { mark, reason } = cause;
    const place = mark === undefined ? {} : { line: mark.line + 1, column: mark.column + 1 };
    throw new SpecError(`is not YAML: ${reason}`, { file, ...place }, { cause });
  }
  if (/[*]/.test(text)) checkAliases(value, text, file);
  return value;
}

/** Aliases make one value stand in several places: their sum is counted without writing it out. */
function checkAliases(root: unknown, text: string, file: string): void {
  const sizes = new Map<object, number>();
  const measure = (value: unknown): number => {
    if (typeof value !== "object" || value === null) return 1;
    const known = sizes.get(value);
    if (known === Number.POSITIVE_INFINITY) {
      throw new SpecError("has a YAML alias inside what it stands for", { file, ...findAlias(text, true) });
    }
    if (known !== undefined) return known;
    sizes.set(value, Number.POSITIVE_INFINITY);
    let size = 1;
    for (const member of Object.values(value)) size += measure(member);
    sizes.set(value, size);
    return size;
  };
  if (measure(root) > MAX_EXPANDED) {
    const message = `has YAML aliases that stand for more than ${MAX_EXPANDED} values; write fewer`;
    throw new SpecError(message, { file, ...findAlias(text, false) });
  }
}

/** Where an alias stands. @param isInside the first in what it stands for itself; else the last, which stands for the others */
function findAlias(text: string, isInside: boolean): { line: number; column: number } {
  const open: string[] = [];
  let found = 0;
  for (const event of parseEvents(text, { maxDepth: MAX_DEPTH })) {
    if (event.type === EVENT_ID.POP) open.pop();
    else if (event.type === EVENT_ID.ALIAS) {
      const at = event.anchorStart - 1;
      if (!isInside) found = at;
      else if (open.includes(text.slice(event.anchorStart, event.anchorEnd))) return toPlace(text, at);
    } else if (event.type === EVENT_ID.DOCUMENT) open.push("");
    else if (event.type !== EVENT_ID.SCALAR) open.push(text.slice(event.anchorStart, event.anchorEnd));
  }
  return toPlace(text, found);
}

function toPlace(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset);
  return { line: before.split("\n").length, column: offset - before.lastIndexOf("\n") };
}
