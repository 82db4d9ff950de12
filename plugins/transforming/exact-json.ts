import { randomBytes } from "node:crypto";

/** In place of a number, while it is a text; nobody can write it into a body. */
const MARK = `number ${randomBytes(12).toString("base64url")} `;
const MARKED = new RegExp(`"${MARK}([^"]+)"`, "g");
/** There may be a number that `JSON.parse` would round. */
const MAY_BE_LONG = /[\d.]{16}|\d[eE]/;
const STRING_OR_NUMBER = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const IS_LONG = /[\d.]{16}|[eE]/;

/**
 * Changes a JSON text and leaves every number as it is written: a 64-bit id has more digits than a number here.
 * @param change sees a number of many digits as a text
 * @throws SyntaxError when it is not JSON
 */
export function changeJsonText(text: string, change: (value: unknown) => unknown): string {
  const value: unknown = JSON.parse(text);
  if (!MAY_BE_LONG.test(text)) return JSON.stringify(change(value) ?? null);
  const marked = text.replace(STRING_OR_NUMBER, (token) =>
    !token.startsWith('"') && IS_LONG.test(token) ? `"${MARK}${token}"` : token,
  );
  return JSON.stringify(change(JSON.parse(marked)) ?? null).replace(MARKED, "$1");
}
