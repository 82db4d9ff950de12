import type { HeaderList } from "../core/headers.ts";

const NOTHING: readonly string[] = Object.freeze([]);

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;

/**
 * The request fields that `Vary` names: lower case, sorted, each once.
 * @returns undefined for `*`, and for what is no field name: nobody can tell what it was to vary by, so it is never reused
 */
export function selectingFields(vary: string | undefined): readonly string[] | undefined {
  if (vary === undefined) return NOTHING;
  const names = new Set<string>();
  for (const part of vary.split(",")) {
    const name = part.trim().toLowerCase();
    if (name === "") continue;
    if (name === "*" || !TOKEN.test(name)) return undefined;
    names.add(name);
  }
  return [...names].sort();
}

/**
 * The values of the selecting fields in one normal form: equal for requests that a variant answers alike.
 * Lines are joined, white space around commas goes, and lists whose order means nothing are sorted. RFC 9111 §4.1.
 * Injective: names cannot hold `=`, values cannot hold a line break, and an absent field is no empty one.
 */
export function variantOf(selectors: readonly string[], headers: HeaderList): string {
  let variant = "";
  for (const name of selectors) {
    const value = headers.getJoined(name);
    variant += value === undefined ? `${name}\n` : `${name}=${normalise(name, value)}\n`;
  }
  return variant;
}

function normalise(name: string, value: string): string {
  if (!value.includes(",") && !UNORDERED.has(name)) return value.trim();
  if (value.includes('"')) return value.trim();
  const members = value.split(",").map((member) => member.trim());
  if (!UNORDERED.has(name)) return members.join(",");
  return [...new Set(members.map((member) => member.toLowerCase().replace(/[\t ]*;[\t ]*/g, ";")))]
    .filter((member) => member !== "")
    .sort()
    .join(",");
}
/** Preference is by `q`, not by place (RFC 9110 §12.5), and letters compare without case. */
const UNORDERED = new Set(["accept-language", "accept-encoding", "accept-charset"]);
