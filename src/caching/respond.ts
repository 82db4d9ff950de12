import { Readable } from "node:stream";
import type { Body, Exchange, GatewayResponse } from "../core/exchange.ts";
import { HeaderList } from "../core/headers.ts";
import { Prepared } from "../core/prepared.ts";
import type { AnswerView, StoredAnswer, StoredChunks } from "./answer.ts";
import { findRange, isNotModified, type Range } from "./conditional.ts";
import type { CacheStore } from "./store.ts";

/**
 * A stored answer as the response to a request: whole, a part, or "you have it already".
 * @param cacheStatus of this cache, without its name: `hit`, `fwd=stale; fwd-status=304`
 */
export function respond(
  answer: StoredAnswer,
  exchange: Exchange,
  store: CacheStore,
  nowMs: number,
  cacheStatus: string,
): GatewayResponse {
  const { headers: asked, method } = exchange.request;
  const ageSeconds = Math.max(0, Math.floor((nowMs - answer.freshness.bornAtMs) / 1000));
  let { view } = answer;
  if (view === undefined || view.ageSeconds !== ageSeconds || view.cacheStatus !== cacheStatus) {
    view = toView(answer, ageSeconds, cacheStatus, nowMs);
    answer.view = view;
  }
  exchange.cacheStatus = view.headers.toFlat()[(view.headers.size << 1) - 1];
  if (isNotModified(asked, answer, nowMs, view)) {
    view.notModified ??= ofNotModified(view.headers.clone());
    return { status: 304, headers: view.notModified.clone(), body: null };
  }
  const headers = view.headers.clone();
  const range = method === "GET" ? findRange(asked, answer, nowMs) : undefined;
  if (range === "none") return unsatisfiable(headers, answer.length);
  if (range !== undefined) return part(answer, range, headers, store);
  const body = method === "HEAD" ? null : wholeBody(answer, store);
  return { status: answer.status, headers, body };
}

function toView(answer: StoredAnswer, ageSeconds: number, cacheStatus: string, nowMs: number): AnswerView {
  const { status, body } = answer;
  const headers = toSent(answer, ageSeconds, cacheStatus, nowMs);
  if (body !== null) headers.prepared = new Prepared(status, body);
  return { ageSeconds, cacheStatus, headers, notModified: undefined, hadTags: undefined, hadSince: undefined };
}

/** `Cache-Status` of this cache stands last: the caches nearer the origin come first (RFC 9211 §2). */
function toSent(answer: StoredAnswer, ageSeconds: number, cacheStatus: string, nowMs: number): HeaderList {
  const headers = answer.headers.clone();
  headers.append("Age", String(ageSeconds));
  const ttl = Math.floor((answer.freshness.freshUntilMs - nowMs) / 1000);
  headers.append("Cache-Status", `Portico; ${cacheStatus}; ttl=${ttl}`);
  return headers;
}

const KEPT_IN_304 = new Set([
  "cache-control",
  "content-location",
  "date",
  "etag",
  "expires",
  "vary",
  "last-modified",
  "age",
  "cache-status",
]);

/** RFC 9110 §15.4.5. */
function ofNotModified(headers: HeaderList): HeaderList {
  headers.filter((name) => KEPT_IN_304.has(name));
  headers.prepared = new Prepared(304, null);
  return headers;
}

function unsatisfiable(headers: HeaderList, length: number): GatewayResponse {
  const status = headers.toFlat()[(headers.size << 1) - 1] as string;
  return {
    status: 416,
    headers: new HeaderList(["Content-Range", `bytes */${length}`, "Content-Length", "0", "Cache-Status", status]),
    body: null,
  };
}

function part(answer: StoredAnswer, { first, last }: Range, headers: HeaderList, store: CacheStore): GatewayResponse {
  headers.set("Content-Range", `bytes ${first}-${last}/${answer.length}`);
  headers.set("Content-Length", String(last - first + 1));
  const body =
    answer.chunks === undefined
      ? (answer.body as Buffer).subarray(first, last + 1)
      : new StoredBody(store, answer.key, answer.chunks, first, last);
  return { status: 206, headers, body };
}

const wholeBody = (answer: StoredAnswer, store: CacheStore): Body =>
  answer.chunks === undefined ? answer.body : new StoredBody(store, answer.key, answer.chunks, 0, answer.length - 1);

/**
 * A body read part by part. It outlives its record while it is read; one that has been evicted meanwhile breaks off: never
 * a part that passes for the whole. Its record goes as well, or everybody after would meet the same.
 */
class StoredBody extends Readable {
  private readonly store: CacheStore;
  private readonly key: string;
  private readonly chunks: StoredChunks;
  private readonly last: number;
  private skip: number;
  private left: number;
  private index = 0;
  private isHeld = false;

  constructor(store: CacheStore, key: string, chunks: StoredChunks, first: number, last: number) {
    super();
    this.store = store;
    this.key = key;
    this.chunks = chunks;
    this.last = last;
    this.skip = first;
    this.left = this.last - first + 1;
  }

  override _read(): void {
    if (!this.isHeld) this.store.hold(this.chunks);
    this.isHeld = true;
    this.readOn().catch((error: unknown) => this.destroy(error as Error));
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    if (this.isHeld) this.store.release(this.chunks);
    callback(error);
  }

  private async readOn(): Promise<void> {
    for (;;) {
      if (this.left === 0) {
        this.push(null);
        return;
      }
      if (this.index >= this.chunks.count) throw new Error("a stored body is shorter than it was");
      const chunk = await this.store.readChunk(this.chunks, this.index++);
      if (chunk === undefined) {
        void this.store.delete(this.key);
        throw new Error("a stored body was evicted while it was sent");
      }
      if (this.skip >= chunk.length) {
        this.skip -= chunk.length;
        continue;
      }
      const wanted = chunk.subarray(this.skip, this.skip + this.left);
      this.skip = 0;
      this.left -= wanted.length;
      this.push(wanted);
      return;
    }
  }
}
