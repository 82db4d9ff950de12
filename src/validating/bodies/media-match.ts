import { findMediaType, type ParsedMediaType } from "../../core/media-type.ts";

/** What a body is whose sender does not say. RFC 9110 §8.3. */
export const UNNAMED_TYPE = "application/octet-stream";

/** How closely a declared type or range fits: 0 not at all, more for a closer fit. RFC 9110 §12.5.1. */
export function fitOf(range: ParsedMediaType, type: ParsedMediaType): number {
  if (range.essence !== type.essence) {
    if (range.essence === "*/*") return 1;
    if (range.subtype === "*" && range.type === type.type) return 2;
    // `application/*+json`
    const isSuffix = range.subtype.startsWith("*+") && type.subtype.endsWith(range.subtype.slice(1));
    return isSuffix && range.type === type.type ? 3 : 0;
  }
  // A declared charset is how the service reads the body, and UTF-8 is what nearly all senders leave out.
  for (const [name, value] of range.parameters) {
    const sent = type.parameters.get(name);
    if (sent === undefined ? name !== "charset" : sent.toLowerCase() !== value.toLowerCase()) return 0;
  }
  return 4 + range.parameters.size;
}

export function isCovered(range: string, type: ParsedMediaType): boolean {
  const parsed = findMediaType(range);
  return parsed !== undefined && fitOf(parsed, type) > 0;
}

/** The declared content that fits best, as `text/plain` before `text/*` (OpenAPI 3.2 §4.13). */
export function findContent<T extends { readonly range: ParsedMediaType }>(
  contents: readonly T[],
  type: ParsedMediaType,
): T | undefined {
  let best: T | undefined;
  let bestFit = 0;
  for (const content of contents) {
    const fit = fitOf(content.range, type);
    if (fit <= bestFit) continue;
    best = content;
    bestFit = fit;
  }
  return best;
}
