import { GatewayError } from "../core/errors.ts";
import type { Exchange } from "../core/exchange.ts";
import { findMediaType, type ParsedMediaType } from "../core/media-type.ts";
import type { Operation } from "../core/operation.ts";
import { fitOf } from "./bodies/media-match.ts";
import type { Violations } from "./schema/check.ts";

/** Different Accept values that are remembered for an operation; more are worked out each time. */
const REMEMBERED = 64;

/**
 * Refuses a request that no successful answer of its operation could satisfy (RFC 9110 §12.5.1). Lenient: an answer
 * without content satisfies everybody, and what an operation says when it fails does not count.
 * @returns undefined when nothing can be told
 */
export function createAcceptCheck(
  operation: Operation,
): ((exchange: Exchange, violations: Violations, isEnforced: boolean) => void) | undefined {
  const answers = [...operation.responses].filter(([status]) => /^[23]/.test(status));
  if (answers.length === 0 || answers.some(([, { content }]) => content.length === 0)) return undefined;
  const declared = answers.flatMap(([, { content }]) => content.map(({ type }) => type));
  const types = declared.map(findMediaType);
  if (types.some((type) => type === undefined || type.essence.includes("*"))) return undefined;
  const known = new Map<string, boolean>();

  return function checkAccept(exchange, violations, isEnforced) {
    const accept = exchange.request.headers.getJoined("accept");
    if (accept === undefined || accept === "*/*" || accept === "") return;
    let isAcceptable = known.get(accept);
    if (isAcceptable === undefined) {
      isAcceptable = (types as ParsedMediaType[]).some((type) => accepts(accept, type));
      if (known.size < REMEMBERED && accept.length < 512) known.set(accept, isAcceptable);
    }
    if (isAcceptable) return;
    const message = `the answers are ${[...new Set(declared)].join(", ")}`;
    if (isEnforced && violations.isEmpty) throw new GatewayError("NOT_ACCEPTABLE", message);
    violations.add("header", "/accept", "accept", message);
  };
}

/** True when the most specific range of an Accept field that covers a type has a quality above 0. */
export function accepts(accept: string, type: ParsedMediaType): boolean {
  let bestFit = 0;
  let quality = 0;
  let isReadable = false;
  for (const item of splitList(accept)) {
    const range = findMediaType(item);
    if (range === undefined) continue;
    isReadable = true;
    const q = Number(range.parameters.get("q") ?? 1);
    // What a range says of parameters is a wish; only its type can rule an answer out.
    const fit = fitOf({ ...range, parameters: noParameters }, type);
    if (fit === 0 || fit < bestFit) continue;
    quality = fit > bestFit ? q : Math.max(quality, q);
    bestFit = fit;
  }
  return quality > 0 || !isReadable;
}

const noParameters: ReadonlyMap<string, string> = new Map();

/** A comma inside quotes does not separate. */
const splitList = (value: string): string[] =>
  (value.match(/(?:"(?:[^"\\]|\\.)*"|[^,"])+/g) ?? []).map((item) => item.trim());
