import { isUtf8 } from "node:buffer";

/**
 * A base64url segment as a JSON object in which no member of the top level stands twice: two readers could each take
 * another one (RFC 7515 §4, RFC 7519 §4).
 * @throws Error that says what is wrong
 */
export function parseSegment(segment: string): Record<string, unknown> {
  const bytes = Buffer.from(segment, "base64url");
  if (!isUtf8(bytes)) throw new Error("not UTF-8");
  const text = bytes.toString("utf8");
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error("not an object");
  if (countMembers(text) !== Object.keys(value).length) throw new Error("a member stands twice");
  return value as Record<string, unknown>;
}

/**
 * How often a member is written at the top level: more often than the object has members, and one stands twice.
 * @param json valid JSON of an object
 */
function countMembers(json: string): number {
  let count = 0;
  let depth = 0;
  let isName = false;
  for (let i = 0; i < json.length; i++) {
    const char = json.charCodeAt(i);
    if (char === QUOTE) {
      if (isName && depth === 1) count++;
      isName = false;
      i = endOfString(json, i);
    } else if (char === OPEN_BRACE || char === OPEN_BRACKET) {
      depth++;
      isName = char === OPEN_BRACE;
    } else if (char === CLOSE_BRACE || char === CLOSE_BRACKET) {
      depth--;
    } else if (char === COMMA) {
      isName = true;
    }
  }
  return count;
}

const [QUOTE, OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET, COMMA] = [0x22, 0x7b, 0x7d, 0x5b, 0x5d, 0x2c];

function endOfString(json: string, start: number): number {
  let end = json.indexOf('"', start + 1);
  while (isEscaped(json, end)) end = json.indexOf('"', end + 1);
  return end;
}

function isEscaped(json: string, at: number): boolean {
  let backslashes = 0;
  while (json.charCodeAt(at - 1 - backslashes) === 0x5c) backslashes++;
  return backslashes % 2 === 1;
}
