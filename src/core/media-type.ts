/** A parsed media type (RFC 9110 §8.3.1). */
export interface ParsedMediaType {
  /** Lower case, without parameters: `application/json`. */
  readonly essence: string;
  readonly type: string;
  readonly subtype: string;
  /** Names lower case; values as written, unquoted. */
  readonly parameters: ReadonlyMap<string, string>;
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const PARAMETER = /;\s*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)=("(?:[^"\\]|\\.)*"|[!#$%&'*+\-.^_`|~0-9A-Za-z]+)\s*|;\s*/y;

/** @returns undefined when the value is not a media type or range */
export function findMediaType(value: string): ParsedMediaType | undefined {
  const semicolon = value.indexOf(";");
  const essence = (semicolon < 0 ? value : value.slice(0, semicolon)).trim().toLowerCase();
  const slash = essence.indexOf("/");
  const type = essence.slice(0, slash);
  const subtype = essence.slice(slash + 1);
  if (slash < 0 || !TOKEN.test(type) || !TOKEN.test(subtype)) return undefined;
  const parameters = new Map<string, string>();
  PARAMETER.lastIndex = semicolon;
  while (semicolon >= 0 && PARAMETER.lastIndex < value.length) {
    const match = PARAMETER.exec(value);
    if (match === null) return undefined;
    if (match[1] === undefined) continue;
    const raw = match[2] as string;
    const text = raw.startsWith('"') ? raw.slice(1, -1).replace(/\\(.)/g, "$1") : raw;
    const name = match[1].toLowerCase();
    const known = parameters.get(name);
    // Of two boundaries, readers differ on which one counts.
    if (known !== undefined && known !== text) return undefined;
    parameters.set(name, text);
  }
  return { essence, type, subtype, parameters };
}

/** True for `application/json`, `…+json` (RFC 6839) and the like. */
export const isJson = (media: ParsedMediaType): boolean => media.subtype === "json" || media.subtype.endsWith("+json");
