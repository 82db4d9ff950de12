import { findText, toList, toObject } from "./json.ts";

/** A server's URL with its variables filled in by their defaults. */
export function toServerUrl(server: unknown): string {
  const { url, variables } = toObject(server);
  return (findText(url) ?? "/").replace(/\{([^{}]*)\}/g, (_, name: string) => {
    const { default: fallback, enum: values } = toObject(toObject(variables)[name]);
    return String(fallback ?? toList(values)[0] ?? "");
  });
}

/**
 * The path of the first server, without a slash at its end: what stands before every template.
 * Not by `new URL`: a variable without a default leaves a host that is none, and the path after it still counts.
 */
export function toBasePath(servers: unknown): string {
  const first = toList(servers)[0];
  if (first === undefined) return "";
  const path = toServerUrl(first)
    .trim()
    .replace(/^(?:[a-z][a-z0-9+.-]*:)?\/\/[^/?#]*/i, "")
    .replace(/^\.?\/*/, "/")
    .replace(/[?#].*$/s, "");
  return path.replace(/\/{2,}/g, "/").replace(/\/+$/, "");
}
