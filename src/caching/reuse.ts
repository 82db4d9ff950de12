import type { Directives } from "./directives.ts";
import type { Freshness } from "./freshness.ts";

/** What may be done with a stored answer now: use it; use it while it is fetched again; or ask about it first. */
export type Reuse = "use" | "use-and-renew" | "ask";

/** RFC 9111 §4.2 and §5.2.1; RFC 5861 §3. @param directives of the request, when it has some */
export function reuseOf(freshness: Freshness, directives: Directives | undefined, nowMs: number): Reuse {
  if (freshness.alwaysAsk) return "ask";
  const leftMs = freshness.freshUntilMs - nowMs;
  if (directives !== undefined) {
    if (directives.noCache !== undefined || directives.noStore === true) return "ask";
    const { maxAge, minFresh, maxStale } = directives;
    if (maxAge !== undefined && (maxAge === 0 || nowMs - freshness.bornAtMs > maxAge * 1000)) return "ask";
    if (minFresh !== undefined && leftMs < minFresh * 1000) return "ask";
    if (leftMs <= 0 && maxStale !== undefined && !freshness.mustRevalidate && -leftMs <= maxStale * 1000) return "use";
  }
  if (leftMs > 0) return "use";
  return -leftMs < freshness.staleWhileRevalidateMs ? "use-and-renew" : "ask";
}

/** Whether others than its own client may be given it without asking. */
export const isReusable = ({ freshUntilMs, alwaysAsk }: Freshness): boolean => freshUntilMs > Date.now() && !alwaysAsk;

/**
 * Whether a stale answer may stand in for a failure of the upstream. RFC 5861 §4.
 * @param disconnectedMs for how long it may without the upstream's word, when nobody there answers (RFC 9111 §4.2.4)
 */
export function mayStandIn(
  freshness: Freshness,
  directives: Directives | undefined,
  nowMs: number,
  disconnectedMs = 0,
): boolean {
  if (freshness.mustRevalidate || freshness.alwaysAsk || directives?.noCache !== undefined) return false;
  const askedMs = (directives?.staleIfError ?? 0) * 1000;
  const windowMs = Math.max(freshness.staleIfErrorMs, askedMs, disconnectedMs);
  return windowMs > 0 && nowMs - freshness.freshUntilMs < windowMs;
}
