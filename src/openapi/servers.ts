import { findText, toList, toObject } from "./json.ts";

/** A server whose variables have ten values each must not become ten thousand paths. */
const MAX_BASES = 64;

/** A server's URL with its variables filled in by their defaults. */
export const toServerUrl = (server: unknown): string => toServerUrls(server)[0] as string;

/** Every URL of a server: its variables filled in by each value that they may have, the defaults first. */
function toServerUrls(server: unknown): string[] {
  const { url, variables } = toObject(server);
  let urls = [findText(url) ?? "/"];
  for (const [expression, name = ""] of (findText(url) ?? "").matchAll(/\{([^{}]*)\}/g)) {
    const { default: fallback, enum: listed } = toObject(toObject(variables)[name]);
    const values = [...new Set([...(fallback === undefined ? [] : [fallback]), ...toList(listed)].map(String))];
    if (values.length === 0) values.push("");
    urls = values.flatMap((value) => urls.map((known) => known.replace(expression, () => value))).slice(0, MAX_BASES);
  }
  return urls;
}

/** The path of the first server, without a slash at its end: what stands before every template. */
export const toBasePath = (servers: unknown): string => toBasePaths(servers)[0] as string;

/**
 * The paths under which an API is served: every one of its first server, whose variables may have several values, and
 * those of other servers of the same origin. What is elsewhere is another deployment, not another path of this one.
 * @returns at least one
 */
export function toBasePaths(servers: unknown): string[] {
  const [first, ...others] = toList(servers);
  if (first === undefined) return [""];
  const own = originOf(toServerUrl(first));
  const urls = [first, ...others.filter((server) => originOf(toServerUrl(server)) === own)].flatMap(toServerUrls);
  return [...new Set(urls.map(toPath))].slice(0, MAX_BASES);
}

const ORIGIN = /^(?:[a-z][a-z0-9+.-]*:)?\/\/[^/?#]*/i;
/** Of `http:` and `https:` alike. */
const originOf = (url: string): string => (ORIGIN.exec(url.trim())?.[0] ?? "").toLowerCase().replace(/^[^/]*/, "");

/** Not by `new URL`: a variable without a default leaves a host that is none, and the path after it still counts. */
const toPath = (url: string): string =>
  url
    .trim()
    .replace(ORIGIN, "")
    .replace(/^\.?\/*/, "/")
    .replace(/[?#].*$/s, "")
    .replace(/\/{2,}/g, "/")
    .replace(/\/+$/, "");
