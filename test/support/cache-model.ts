/** What an upstream says of an answer; seconds. */
export interface Said {
  readonly maxAge: number;
  readonly sMaxAge: number | undefined;
  readonly whileRevalidate: number | undefined;
  readonly ifError: number | undefined;
  /** A further word of its `Cache-Control`. */
  readonly word: "no-cache" | "no-store" | "must-revalidate" | "private" | undefined;
  readonly hasTag: boolean;
  readonly setsCookie: boolean;
  readonly age: number;
}

export const saidFields = (said: Said, tag: string, nowMs: number): Record<string, string> => ({
  "Cache-Control": [
    `max-age=${said.maxAge}`,
    said.sMaxAge !== undefined && `s-maxage=${said.sMaxAge}`,
    said.whileRevalidate !== undefined && `stale-while-revalidate=${said.whileRevalidate}`,
    said.ifError !== undefined && `stale-if-error=${said.ifError}`,
    said.word,
  ]
    .filter(Boolean)
    .join(", "),
  Date: new Date(nowMs).toUTCString(),
  ...(said.age > 0 ? { Age: String(said.age) } : {}),
  ...(said.hasTag ? { ETag: `"${tag}"` } : {}),
  ...(said.setsCookie ? { "Set-Cookie": "a=b" } : {}),
});

/** The directives a client may send, one at a time. */
export type Wish =
  | "no-cache"
  | "no-store"
  | "only-if-cached"
  | "max-age=5"
  | "min-fresh=5"
  | "max-stale=10"
  | undefined;

/** One answer that may be stored. */
export interface Remembered {
  readonly text: string;
  readonly tag: string | undefined;
  readonly bornAtMs: number;
  readonly freshUntilMs: number;
  readonly whileRevalidateMs: number;
  readonly ifErrorMs: number;
  readonly mustAsk: boolean;
  readonly neverStale: boolean;
  isSoftlyPurged: boolean;
}

const IF_UNREACHABLE_MS = 30_000;

/** RFC 9111 and 5861 once more, as short as they can be said, with nothing of the cache's own code. */
export function remember(said: Said, text: string, tag: string, wish: Wish, nowMs: number): Remembered | undefined {
  const neverStale = said.word === "must-revalidate" || said.sMaxAge !== undefined;
  const bornAtMs = nowMs - said.age * 1000;
  const lifetimeMs = (said.sMaxAge ?? said.maxAge) * 1000;
  const remembered: Remembered = {
    text,
    tag: said.hasTag ? tag : undefined,
    bornAtMs,
    freshUntilMs: bornAtMs + lifetimeMs,
    whileRevalidateMs: neverStale ? 0 : (said.whileRevalidate ?? 0) * 1000,
    ifErrorMs: neverStale ? 0 : (said.ifError ?? 0) * 1000,
    mustAsk: said.word === "no-cache",
    neverStale,
    isSoftlyPurged: false,
  };
  if (wish === "no-store" || said.word === "no-store" || said.word === "private" || said.setsCookie) return undefined;
  const isOfUse = remembered.tag !== undefined || remembered.whileRevalidateMs > 0 || remembered.ifErrorMs > 0;
  return (lifetimeMs > 0 && !remembered.mustAsk) || isOfUse ? remembered : undefined;
}

const freshForMs = ({ freshUntilMs, isSoftlyPurged }: Remembered, nowMs: number): number =>
  isSoftlyPurged ? Math.min(freshUntilMs - nowMs, 0) : freshUntilMs - nowMs;

/** Whether it has a successor once its upstream answers in full: RFC 9111 §4.3.3. */
export const isStale = (remembered: Remembered, nowMs: number): boolean =>
  remembered.mustAsk || freshForMs(remembered, nowMs) <= 0;

/** Whether it may be given to this request without asking. */
export function mayUse(remembered: Remembered, wish: Wish, nowMs: number): "yes" | "yes, and renew" | "no" {
  const leftMs = freshForMs(remembered, nowMs);
  if (remembered.mustAsk || wish === "no-cache" || wish === "no-store") return "no";
  if (wish === "max-age=5" && nowMs - remembered.bornAtMs > 5000) return "no";
  if (wish === "min-fresh=5" && leftMs < 5000) return "no";
  if (leftMs > 0 || (wish === "max-stale=10" && !remembered.neverStale && leftMs >= -10_000)) return "yes";
  return -leftMs < remembered.whileRevalidateMs ? "yes, and renew" : "no";
}

/** Whether it may stand in for a 503, or for an upstream that breaks off. */
export function mayStandIn(remembered: Remembered, wish: Wish, isUnreachable: boolean, nowMs: number): boolean {
  if (remembered.neverStale || remembered.mustAsk || wish === "no-cache") return false;
  const windowMs = Math.max(remembered.ifErrorMs, isUnreachable ? IF_UNREACHABLE_MS : 0);
  return windowMs > 0 && -freshForMs(remembered, nowMs) < windowMs;
}
