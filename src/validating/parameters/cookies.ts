import type { Pair } from "./styles.ts";

/**
 * The values of a cookie in a `Cookie` field (RFC 6265 §4.2.1), as sent; servers take cookies of one name from several
 * paths, so there may be more than one.
 */
export function findCookies(header: string, name: string): string[] {
  const values: string[] = [];
  for (let start = 0; start < header.length; ) {
    const semicolon = header.indexOf(";", start);
    const end = semicolon < 0 ? header.length : semicolon;
    const equals = header.indexOf("=", start);
    if (equals >= 0 && equals < end && header.slice(start, equals).trim() === name) {
      values.push(unquote(header.slice(equals + 1, end).trim()));
    }
    start = end + 1;
  }
  return values;
}

/** All cookies of a field, as sent: one look at it, however many there are. */
export function cookiePairs(header: string): Pair[] {
  const pairs: Pair[] = [];
  for (const piece of header.split(";")) {
    const equals = piece.indexOf("=");
    if (equals > 0) pairs.push([piece.slice(0, equals).trim(), unquote(piece.slice(equals + 1).trim())]);
  }
  return pairs;
}

const unquote = (value: string): string =>
  value.length > 1 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
