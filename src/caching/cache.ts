import { randomUUID } from "node:crypto";
import type { HeaderList } from "../core/headers.ts";
import type { StoredAnswer, StoredRecord, VariantIndex } from "./answer.ts";
import type { Flight } from "./flight.ts";
import { type Purge, Purges } from "./purges.ts";
import { RecentKeys } from "./recent-keys.ts";
import type { CacheStore, Later } from "./store.ts";
import { variantOf } from "./vary.ts";

export interface CacheParts {
  readonly store: CacheStore;
  /** One answer at most. */
  readonly entryBytes: number;
}

/** Why there is no answer, in the words of RFC 9211. */
export type Miss = "uri-miss" | "vary-miss";

/** More lists of selecting fields than this, and the oldest is forgotten: an upstream must not grow an index without end. */
const MAX_SELECTORS = 8;
/** What an equal request is not made to wait for: it was uncacheable a moment ago. */
const UNCACHEABLE_MS = 10_000;
/** For how long an answer that can be validated is kept once it is stale. */
const VALIDATABLE_MS = 86_400_000;

/** The stored answers of a gateway: one object for all operations, kept across reloads. */
export class Cache {
  readonly store: CacheStore;
  readonly entryBytes: number;
  readonly purges = new Purges();
  /** Fetches under way, by what they would be stored under. */
  readonly flights = new Map<string, Flight>();
  readonly uncacheable = new RecentKeys(10_000, UNCACHEABLE_MS);

  constructor(parts: CacheParts) {
    this.store = parts.store;
    this.entryBytes = parts.entryBytes;
  }

  /** The stored answer for a request, fresh or not. @param headers its selecting fields */
  find(key: string, headers: HeaderList): Later<StoredAnswer | Miss> {
    const record = this.store.find(key);
    if (record instanceof Promise) return record.then((known) => this.select(known, headers));
    return this.select(record, headers);
  }

  /** Stores an answer where an equal request will find it. @param headers of the request that it answers */
  put(answer: Omit<StoredAnswer, "key">, key: string, selectors: readonly string[], headers: HeaderList): void {
    const record = this.store.find(key);
    if (record instanceof Promise) {
      void record.then((known) => this.putBeside(known, answer, key, selectors, headers));
    } else {
      this.putBeside(record, answer, key, selectors, headers);
    }
  }

  /** Puts a renewed answer in the place of the one it was made from. */
  replace(answer: StoredAnswer): void {
    void this.store.put(answer, keepMs(answer));
  }

  /** Takes one answer away. */
  remove(answer: StoredAnswer): void {
    void this.store.delete(answer.key);
  }

  /** Forgets what it names, wherever it is stored and whatever is on its way. */
  purge(purge: Purge): void {
    this.purges.add(purge);
    if (purge.kind === "all" && !purge.soft) void this.store.clear();
  }

  async close(): Promise<void> {
    await this.store.close();
  }

  private select(record: StoredRecord | undefined, headers: HeaderList): Later<StoredAnswer | Miss> {
    if (record === undefined) return "uri-miss";
    if (record.kind === "answer") return this.checked(record) ?? "uri-miss";
    return this.selectVariant(record, headers, 0);
  }

  private selectVariant(index: VariantIndex, headers: HeaderList, from: number): Later<StoredAnswer | Miss> {
    for (let i = from; i < index.selectors.length; i++) {
      const found = this.store.find(variantKey(index.generation, index.selectors[i] as readonly string[], headers));
      if (found instanceof Promise) {
        return found.then((record) => this.usable(record) ?? this.selectVariant(index, headers, i + 1));
      }
      const usable = this.usable(found);
      if (usable !== undefined) return usable;
    }
    return "vary-miss";
  }

  private usable(record: StoredRecord | undefined): StoredAnswer | undefined {
    return record?.kind === "answer" ? this.checked(record) : undefined;
  }

  private checked(answer: StoredAnswer): StoredAnswer | undefined {
    if (answer.seq >= this.purges.seq) return answer;
    const fate = this.purges.fateOf(answer);
    if (fate === "gone") {
      this.remove(answer);
      return undefined;
    }
    if (fate === "kept") {
      answer.seq = this.purges.seq;
      return answer;
    }
    const freshUntilMs = Math.min(answer.freshness.freshUntilMs, Date.now());
    return { ...answer, freshness: { ...answer.freshness, freshUntilMs } };
  }

  private putBeside(
    known: StoredRecord | undefined,
    answer: Omit<StoredAnswer, "key">,
    key: string,
    selectors: readonly string[],
    headers: HeaderList,
  ): void {
    if (selectors.length === 0 && known?.kind !== "variants") {
      this.replace({ ...answer, key });
      return;
    }
    const index = known?.kind === "variants" ? known : undefined;
    const generation = index?.generation ?? randomUUID();
    const others = (index?.selectors ?? []).filter((list) => list.join() !== selectors.join());
    const isFirst =
      index !== undefined && others.length < index.selectors.length && index.selectors[0]?.join() === selectors.join();
    if (!isFirst) {
      const list = [selectors, ...others].slice(0, MAX_SELECTORS);
      void this.store.put({ kind: "variants", key, generation, selectors: list }, INDEX_MS);
    }
    this.replace({ ...answer, key: variantKey(generation, selectors, headers) });
  }
}

const INDEX_MS = 30 * 86_400_000;

/** Never equal to the key of a resource: that begins with a scheme. */
const variantKey = (generation: string, selectors: readonly string[], headers: HeaderList): string =>
  `~${generation}\n${selectors.join()}\n${variantOf(selectors, headers)}`;

function keepMs({ freshness, headers }: StoredAnswer): number {
  const hasValidator = headers.has("etag") || headers.has("last-modified");
  const stale = Math.max(freshness.staleWhileRevalidateMs, freshness.staleIfErrorMs, hasValidator ? VALIDATABLE_MS : 0);
  return Math.max(1000, freshness.freshUntilMs - Date.now() + stale);
}
