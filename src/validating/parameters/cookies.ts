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
      const value = header.slice(equals + 1, end).trim();
      const isQuoted = value.length > 1 && value.startsWith('"') && value.endsWith('"');
      values.push(isQuoted ? value.slice(1, -1) : value);
    }
    start = end + 1;
  }
  return values;
}
