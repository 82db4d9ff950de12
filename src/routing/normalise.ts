/** Characters that may stand in a path as they are, in segments that need no second look. */
const PLAIN = /^(?:\/[A-Za-z0-9\-_~!$&'()*+,=:@][A-Za-z0-9\-._~!$&'()*+,=:@]*)+\/?$|^\/$/;
const DOTS = /^\.{1,2}(?:;.*)?$/;

/**
 * The one form of a path that routing, plugins, cache and upstream all see, or none where readers could differ.
 * Percent-encoded unreserved characters are decoded, hex digits upper case (RFC 3986 §6.2.2); `%2F` stays, so a slash
 * inside a parameter stays inside it. Empty segments stay, too: which of them are meant, the router knows. Idempotent.
 * @param path of the request target, from its first `/` to before `?`
 * @returns undefined for what proxies and servers are known to read differently: dot segments, backslashes, control
 *   characters, bytes that are not UTF-8 (ATTACKS 21)
 */
export function findNormalisedPath(path: string): string | undefined {
  if (PLAIN.test(path)) return path;
  if (!path.startsWith("/")) return undefined;
  const segments = path.slice(1).split("/");
  const normal: string[] = [];
  for (const written of segments) {
    const segment = findNormalisedSegment(written);
    if (segment === undefined) return undefined;
    normal.push(segment);
  }
  return `/${normal.join("/")}`;
}

function findNormalisedSegment(segment: string): string | undefined {
  let decoded: string;
  try {
    decoded = decodeURIComponent(segment);
  } catch {
    return undefined;
  }
  if (/[\x00-\x1f\x7f\\]/.test(decoded) || /[^\x21-\x7e]|#/.test(segment)) return undefined;
  if (hasDots(decoded) || (decoded.includes("%") && hasDots(decodeAgain(decoded)))) return undefined;
  return segment.replace(/%[0-9a-fA-F]{2}|["<>^`{|}]/g, (code) => {
    if (code.length === 1) return `%${code.charCodeAt(0).toString(16).toUpperCase()}`;
    const character = String.fromCharCode(Number.parseInt(code.slice(1), 16));
    return /[A-Za-z0-9\-._~]/.test(character) ? character : code.toUpperCase();
  });
}

/** A server that decodes `%2F` before it splits would leave the segment through `..%2F`, and one that decodes twice through `%252e`. */
const hasDots = (decoded: string): boolean => decoded.split(/[/\\]/).some((part) => DOTS.test(part));

const decodeAgain = (text: string): string => text.replace(/%(2e|2f|5c)/gi, (code) => decodeURIComponent(code));
