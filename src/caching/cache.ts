import { randomUUID } from "node:crypto";
import type { HeaderList } from "../core/headers.ts";
import type { StoredAnswer, StoredRecord, VariantIndex } from "./answer.ts";
import type { Flight } from "./flight.ts";
import { dateOf } from "./freshness.ts";
import { resourceIn } from "./key.ts";
import { NameTable } from "./name-table.ts";
import { type Purge, Purges } from "./purges.ts";
import { RecentKeys } from "./recent-keys.ts";
import type { CacheStore, Later, PurgeLog } from "./store.ts";
import type { Asked } from "./stored-answer.ts";
import { variantOf } from "./vary.ts";

export interface CacheParts {
  readonly store: CacheStore;
  /** Of those who share the store; undefined when nobody does. */
  readonly log?: PurgeLog | undefined;
  /** One answer at most. */
  readonly entryBytes: number;
}

/** A purge made here. */
interface OwnPurge {
  readonly purge: Purge;
  readonly localSeq: number;
  /** Its place in the common count, once it has one. */
  seq: number | undefined;
}

/** Why there is no answer, in the words of RFC 9211. */
export type Miss = "uri-miss" | "vary-miss";

/** More lists of selecting fields than this, and the oldest is forgotten: an upstream must not grow an index without end. */
const MAX_SELECTORS = 8;
/** What an equal request is not made to wait for: it was uncacheable a moment ago. */
const UNCACHEABLE_MS = 10_000;

/** The stored answers of a gateway: one object for all operations, kept across reloads. */
export class Cache {
  readonly store: CacheStore;
  readonly entryBytes: number;
  private readonly log: PurgeLog | undefined;
  /** Made by anybody who shares the store, in their common count. */
  private readonly shared = new Purges();
  /** Made here: they hold at once, whether or not the others can be told. */
  private readonly local = new Purges();
  /** Made here, in order, until the common count that is known here holds them: what others stored may be older. */
  private readonly own: OwnPurge[] = [];
  private isTelling = false;
  private caughtUpAtMs = 0;
  /** Fetches under way, by what they would be stored under. */
  readonly flights = new NameTable<Flight & Asked>();
  readonly uncacheable = new RecentKeys(16_384, UNCACHEABLE_MS);

  constructor(parts: CacheParts) {
    this.store = parts.store;
    this.entryBytes = parts.entryBytes;
    this.log = parts.log;
    this.catchUp();
  }

  /** The stored answer for a request, fresh or not. @param hash of the key @param headers its selecting fields */
  find(key: string, hash: number, headers: HeaderList): Later<StoredAnswer | Miss> {
    if (this.log !== undefined) this.catchUp();
    const record = this.store.find(key, hash);
    if (record instanceof Promise) return record.then((known) => this.select(known, headers));
    return this.select(record, headers);
  }

  /**
   * Stores an answer where an equal request will find it. Nobody changes it any more.
   * @param hash of its key
   * @param headers of the request that it answers
   * @param standInMs for how long after its time it may still stand in for its upstream
   * @param isFirst nothing stood there when its request was looked for: one that is for all may take the place of variants
   *   that have come since
   * @returns once it can be found
   */
  put(
    answer: StoredAnswer,
    hash: number,
    selectors: readonly string[],
    headers: HeaderList,
    standInMs = 0,
    isFirst = false,
  ): Later<void> {
    if (isFirst && selectors.length === 0 && this.store.isImmediate) return this.replace(answer, standInMs, hash);
    const record = this.store.find(answer.key, hash);
    if (!(record instanceof Promise)) return this.putBeside(record, answer, hash, selectors, headers, standInMs);
    return record.then((known) => this.putBeside(known, answer, hash, selectors, headers, standInMs));
  }

  /** Puts a renewed answer in the place of the one it was made from. */
  replace(answer: StoredAnswer, standInMs = 0, hash?: number): Later<void> {
    return this.store.put(answer, standInMs, hash);
  }

  /** Takes one answer away. */
  remove(answer: StoredAnswer): void {
    void this.store.delete(answer.key);
  }

  /** The counts of purges now: what is asked of the upstream from here on is younger than all of them. */
  get seq(): number {
    return this.shared.seq;
  }

  get localSeq(): number {
    return this.local.seq;
  }

  /** Whether what is being fetched since then may have been purged meanwhile: it is not for those who ask from now on. */
  isOutdated({ seq, localSeq }: Asked, key: string, operation: string): boolean {
    if (seq >= this.shared.seq && localSeq >= this.local.seq) return false;
    return this.shared.mayConcern(key, operation, seq) || this.local.mayConcern(key, operation, localSeq);
  }

  /** Forgets what it names, wherever it is stored and whatever is on its way. @returns once those who can know do */
  async purge(purge: Purge): Promise<void> {
    this.local.add(purge);
    if (purge.kind === "all" && !purge.soft) void this.store.clear();
    if (this.log === undefined) return;
    this.own.push({ purge, localSeq: this.local.seq, seq: undefined });
    if (this.own.length > MAX_OWN) this.forgetAll();
    await this.tell();
  }

  /** Undefined where the store cannot tell. */
  statistics(): { readonly entries: number | undefined; readonly bytes: number | undefined } {
    return { entries: this.store.entries, bytes: this.store.bytes };
  }

  async close(): Promise<void> {
    await this.store.close();
  }

  private select(record: StoredRecord | undefined, headers: HeaderList): Later<StoredAnswer | Miss> {
    if (record === undefined) return "uri-miss";
    if (record.kind === "answer") return this.checked(record) ?? "uri-miss";
    return this.selectVariant(record, headers, 0, undefined);
  }

  /** Of several that fit, as answers did not always vary by the same, the most recent one. RFC 9111 §4. */
  private selectVariant(
    index: VariantIndex,
    headers: HeaderList,
    from: number,
    best: StoredAnswer | undefined,
  ): Later<StoredAnswer | Miss> {
    for (let i = from; i < index.selectors.length; i++) {
      const found = this.store.find(variantKey(index.generation, index.selectors[i] as readonly string[], headers));
      if (found instanceof Promise) {
        return found.then((record) => this.selectVariant(index, headers, i + 1, mostRecent(best, this.usable(record))));
      }
      best = mostRecent(best, this.usable(found));
    }
    return best ?? "vary-miss";
  }

  private usable(record: StoredRecord | undefined): StoredAnswer | undefined {
    return record?.kind === "answer" ? this.checked(record) : undefined;
  }

  private checked(answer: StoredAnswer): StoredAnswer | undefined {
    if (answer.localSeq < 0) answer.localSeq = (this.own[0]?.localSeq ?? this.local.seq + 1) - 1;
    if (answer.seq >= this.shared.seq && answer.localSeq >= this.local.seq) return answer;
    const fates = [this.shared.fateOf(answer, answer.seq), this.local.fateOf(answer, answer.localSeq)];
    if (fates.includes("gone")) {
      this.remove(answer);
      return undefined;
    }
    if (!fates.includes("stale")) {
      answer.seq = Math.max(answer.seq, this.shared.seq);
      answer.localSeq = this.local.seq;
      return answer;
    }
    const freshUntilMs = Math.min(answer.freshness.freshUntilMs, Date.now());
    return { ...answer, freshness: { ...answer.freshness, freshUntilMs } };
  }

  /** Learns what others have purged, at most every few milliseconds: it is asked on the way to every answer. */
  private catchUp(): void {
    const nowMs = Date.now();
    if (nowMs - this.caughtUpAtMs < CATCH_UP_MS && nowMs >= this.caughtUpAtMs) return;
    this.caughtUpAtMs = nowMs;
    this.log?.since(this.shared.seq, (purge, seq) => this.shared.add(purge, seq));
    while ((this.own[0]?.seq ?? Infinity) <= this.shared.seq) this.own.shift();
    if (this.own.length > 0) void this.tell();
  }

  /** Tells the others, in order, as far as they can be told now. */
  private async tell(): Promise<void> {
    if (this.isTelling) return;
    this.isTelling = true;
    for (;;) {
      const next = this.own.find(({ seq }) => seq === undefined);
      if (next === undefined) break;
      const told = this.log?.append(next.purge);
      next.seq = told instanceof Promise ? await told : told;
      if (next.seq === undefined) break;
    }
    this.isTelling = false;
  }

  /** Too many to remember one by one: everything goes instead. */
  private forgetAll(): void {
    const [oldest] = this.own;
    this.own.length = 0;
    const purge: Purge = { kind: "all", value: "", soft: false };
    this.local.add(purge);
    this.own.push({ purge, localSeq: oldest?.localSeq ?? this.local.seq, seq: undefined });
  }

  private putBeside(
    known: StoredRecord | undefined,
    answer: StoredAnswer,
    hash: number,
    selectors: readonly string[],
    headers: HeaderList,
    standInMs: number,
  ): Later<void> {
    if (selectors.length === 0 && known?.kind !== "variants") return this.replace(answer, standInMs, hash);
    const { key } = answer;
    const index = known?.kind === "variants" ? known : undefined;
    const generation = index?.generation ?? randomUUID();
    const others = (index?.selectors ?? []).filter((list) => list.join() !== selectors.join());
    const isFirst =
      index !== undefined && others.length < index.selectors.length && index.selectors[0]?.join() === selectors.join();
    if (!isFirst) {
      const list = [selectors, ...others].slice(0, MAX_SELECTORS);
      void this.store.put({ kind: "variants", key, generation, selectors: list }, standInMs, hash);
    }
    const resource = answer.resource ?? resourceIn(key);
    return this.replace({ ...answer, resource, key: variantKey(generation, selectors, headers) }, standInMs);
  }
}

const MAX_OWN = 10_000;
const CATCH_UP_MS = 5;

/** As their `Date` says; by default the first. */
function mostRecent(first: StoredAnswer | undefined, second: StoredAnswer | undefined): StoredAnswer | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  return dateOf(second.headers, 0) > dateOf(first.headers, 0) ? second : first;
}

/** Never equal to the key of a resource: that begins with a scheme. */
const variantKey = (generation: string, selectors: readonly string[], headers: HeaderList): string =>
  `~${generation}\n${selectors.join()}\n${variantOf(selectors, headers)}`;
