import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import type { Purge } from "../../src/caching/purges.ts";
import { channels } from "../../src/core/channels.ts";
import {
  isStale,
  mayStandIn,
  mayUse,
  type Remembered,
  remember,
  type Said,
  saidFields,
  type Wish,
} from "../support/cache-model.ts";
import { type CachedService, startCachedService } from "../support/cached-service.ts";
import { eventually } from "../support/eventually.ts";
import { redisMissing, startRedisServer } from "../support/redis-server.ts";

const rarely = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value });
const seconds = fc.integer({ min: 0, max: 20 });
const said: fc.Arbitrary<Said> = fc.record({
  maxAge: seconds,
  sMaxAge: rarely(seconds),
  whileRevalidate: rarely(seconds),
  ifError: rarely(seconds),
  word: rarely(fc.constantFrom("no-cache", "no-store", "must-revalidate", "private")),
  hasTag: fc.boolean(),
  setsCookie: fc.constantFrom(false, false, false, false, true),
  age: fc.constantFrom(0, 0, 3),
});
const WISHES: Wish[] = ["no-cache", "no-store", "only-if-cached", "max-age=5", "min-fresh=5", "max-stale=10"];
/** The answers for `b` vary by language. */
const place = fc.constantFrom("a", "a", "b");
const doing = <Name extends string, T>(name: Name, parts: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record({ do: fc.constant(name), ...parts }) as fc.Arbitrary<{ do: Name } & T>;
const get = doing("get", {
  place,
  language: fc.constantFrom("en", "en", "de"),
  wish: rarely(fc.constantFrom(...WISHES)) as fc.Arbitrary<Wish>,
});
const wait = doing("wait", { seconds: fc.integer({ min: 1, max: 15 }) });
const say = doing("say", { said });
const fall = doing("break", { how: fc.constantFrom("503", "cut") });
const mend = doing("break", { how: fc.constant(undefined) });
const change = doing("change", { place });
const put = doing("put", { place });
const kind = fc.constantFrom("resource", "prefix", "tag", "operation", "all");
const purge = doing("purge", { kind, place, soft: fc.boolean() });
/** What is worth doing together: most of what goes wrong takes more than one step. */
const scene = fc.oneof(
  fc.tuple(get),
  fc.tuple(say, get, wait, get),
  fc.tuple(wait, get),
  fc.tuple(change, get),
  fc.tuple(fall, wait, get, mend),
  fc.tuple(fall, get, mend),
  fc.tuple(put, get),
  fc.tuple(purge, get),
);
type Command =
  | { do: "get"; place: string; language: string; wish: Wish }
  | { do: "wait"; seconds: number }
  | { do: "say"; said: Said }
  | { do: "break"; how: "503" | "cut" | undefined }
  | { do: "change"; place: string }
  | { do: "put"; place: string }
  | { do: "purge"; kind: Purge["kind"]; place: string; soft: boolean };

/** The upstream: what it says now, what stands at each place, and whether it is well. */
class Upstream {
  said: Said = { maxAge: 10, hasTag: true, age: 0, setsCookie: false, ...NOTHING_ELSE };
  how: "503" | "cut" | undefined = undefined;
  readonly versions = new Map<string, number>();

  answer = (request: IncomingMessage, response: ServerResponse): void => {
    const path = request.url ?? "";
    if (this.how === "cut") {
      response.destroy();
      return;
    }
    if (this.how === "503") {
      response.writeHead(503).end("broken");
      return;
    }
    if (request.method !== "GET") {
      this.change(path);
      response.writeHead(204).end();
      return;
    }
    const language = String(request.headers["x-language"]);
    const fields = {
      ...saidFields(this.said, this.tag(path, language), Date.now()),
      "Cache-Tag": path.slice(1),
      ...(path.endsWith("b") ? { Vary: "X-Language" } : {}),
    };
    const isKnown = this.said.hasTag && request.headers["if-none-match"] === `"${this.tag(path, language)}"`;
    if (isKnown) response.writeHead(304, fields).end();
    else response.writeHead(200, fields).end(this.text(path, language));
  };

  change(path: string): void {
    this.versions.set(path, (this.versions.get(path) ?? 0) + 1);
  }

  text = (path: string, language: string): string => `${this.tag(path, language)} of ${path}`;
  tag = (path: string, language: string): string =>
    `${this.versions.get(path) ?? 0}${path.endsWith("b") ? language : ""}`;
}
const NOTHING_ELSE = { sMaxAge: undefined, whileRevalidate: undefined, ifError: undefined, word: undefined };

/** Runs commands against a gateway and against what is remembered of its answers; both must agree after each. */
class Run {
  private readonly service: CachedService;
  private readonly upstream: Upstream;
  private readonly prefix: string;
  private readonly stored = new Map<string, Remembered>();

  constructor(service: CachedService, upstream: Upstream, prefix: string) {
    this.service = service;
    this.upstream = upstream;
    this.prefix = prefix;
  }

  async do(step: Command, t: TestContext): Promise<void> {
    const { upstream } = this;
    const wait = (seconds: number): void => t.mock.timers.setTime(Date.now() + seconds * 1000);
    if (step.do === "wait") wait(step.seconds);
    else if (step.do === "say") upstream.said = step.said;
    else if (step.do === "break") upstream.how = step.how;
    else if (step.do === "change") upstream.change(this.path(step.place));
    else if (step.do === "put") await this.put(this.path(step.place));
    else if (step.do === "purge") await this.purge(step);
    else await this.get(this.path(step.place), step.language, step.wish);
    // What was told to a store is there once it has done what came after; what was purged, after a moment.
    const { store } = this.service.gateway.cache;
    await store.find("nothing");
    await store.delete("nothing");
    if (step.do === "put" || step.do === "purge") wait(1);
  }

  private path = (place: string): string => `/orders/${this.prefix}-${place}`;

  private async put(path: string): Promise<void> {
    const { status } = await this.service.send("PUT", path);
    if (status < 400) this.forget((name) => name.startsWith(path));
  }

  private async purge({ kind, place, soft }: Extract<Command, { do: "purge" }>): Promise<void> {
    const path = this.path(place);
    const value = { resource: `\n${path}`, prefix: `\n${path.slice(0, -1)}`, tag: path.slice(1) };
    const named = kind === "all" ? "" : kind === "operation" ? "getOrder" : value[kind];
    await this.service.gateway.cache.purge({ kind, value: named, soft });
    const isNamed = (name: string): boolean => !(kind === "resource" || kind === "tag") || name.startsWith(path);
    if (soft) for (const [name, kept] of this.stored) kept.isSoftlyPurged ||= isNamed(name);
    else this.forget(isNamed);
  }

  private forget(isNamed: (name: string) => boolean): void {
    for (const name of [...this.stored.keys()]) if (isNamed(name)) this.stored.delete(name);
  }

  private async get(path: string, language: string, wish: Wish): Promise<void> {
    const { service } = this;
    const name = path.endsWith("b") ? `${path} ${language}` : path;
    const nowMs = Date.now();
    const kept = this.stored.get(name);
    const use = kept === undefined ? "no" : mayUse(kept, wish, nowMs);
    const asked = service.asked.length;
    const over = countEnds(use === "yes, and renew" ? 2 : 1);
    const fields = { "X-Language": language, ...(wish === undefined ? {} : { "Cache-Control": wish }) };
    const got = await service.get(path, fields);
    const what = `${path} ${language} ${wish}: ${got.status} ${got.cache}`;
    if (use === "no") {
      const { status, text } = this.expectAsked(name, path, language, wish);
      assert.deepEqual([got.status, got.status === 200 ? got.text : ""], [status, text], what);
      assert.equal(service.asked.length - asked, wish === "only-if-cached" ? 0 : 1, what);
      return;
    }
    assert.deepEqual([got.status, got.text], [200, kept?.text], what);
    assert.equal(got.headers.age, String(Math.floor((nowMs - (kept as Remembered).bornAtMs) / 1000)), what);
    if (use === "yes, and renew") {
      await eventually("it is renewed", over);
      this.expectAsked(name, path, language, undefined);
    }
    assert.equal(service.asked.length - asked, use === "yes" ? 0 : 1, what);
  }

  /** What a request that reaches the upstream is answered with, and leaves behind. */
  private expectAsked(name: string, path: string, language: string, wish: Wish): { status: number; text: string } {
    const { upstream } = this;
    const kept = this.stored.get(name);
    if (wish === "only-if-cached") return { status: 504, text: "" };
    if (upstream.how !== undefined) {
      const isCut = upstream.how === "cut";
      if (kept !== undefined && mayStandIn(kept, wish, isCut, Date.now())) return { status: 200, text: kept.text };
      return { status: isCut ? 502 : 503, text: "" };
    }
    const wasStale = kept !== undefined && isStale(kept, Date.now());
    const tag = upstream.tag(path, language);
    const isConfirmed = kept?.tag === tag && upstream.said.hasTag;
    const text = isConfirmed ? (kept as Remembered).text : upstream.text(path, language);
    const next = remember(upstream.said, text, tag, wish, Date.now());
    if (next !== undefined) this.stored.set(name, next);
    // A request that forbids to store what it is told says nothing of what is stored.
    else if ((isConfirmed || wasStale) && remember(upstream.said, text, tag, undefined, Date.now()) === undefined)
      this.stored.delete(name);
    return { status: 200, text };
  }
}

/** @returns whether so many requests have come to an end in the cache since */
function countEnds(wanted: number): () => boolean {
  const isOver = { count: 0 };
  const onEvent = (message: unknown): void => {
    if (["hit", "stale", "miss", "revalidated"].includes((message as { event: string }).event)) isOver.count++;
  };
  channels.cache.subscribe(onEvent);
  return () => {
    if (isOver.count < wanted) return false;
    channels.cache.unsubscribe(onEvent);
    return true;
  };
}

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "portico-model-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const needsRedis = { skip: process.env.CI === undefined ? redisMissing() : undefined };
const STORES: [string, { skip?: string | undefined }, (t: TestContext) => Promise<object>][] = [
  ["memory", {}, async () => ({})],
  ["memory before disk", {}, async (t) => ({ disk: await temporaryFolder(t) })],
  ["disk alone", {}, async (t) => ({ disk: await temporaryFolder(t), memoryBytes: 0 })],
  ["memory before Redis", needsRedis, async (t) => ({ redis: (await startRedisServer(t)).url })],
];
const RUNS = Number(process.env.CACHE_MODEL_RUNS ?? 100);

for (const [name, options, makeStore] of STORES) {
  test(
    `${name}: whatever is asked, said, purged and broken, each answer is what RFC 9111 has for it`,
    options,
    async (t) => {
      const store = await makeStore(t);
      const upstream = new Upstream();
      const service = await startCachedService(t, upstream.answer, {}, { store });
      let count = 0;
      t.mock.timers.enable({ apis: ["Date"], now: Math.ceil(Date.now() / 1000) * 1000 });
      await fc.assert(
        fc.asyncProperty(fc.array(scene, { minLength: 3, maxLength: 12 }), async (scenes) => {
          Object.assign(upstream, { said: new Upstream().said, how: undefined });
          const run = new Run(service, upstream, `run${++count}`);
          for (const step of scenes.flat()) await run.do(step as Command, t);
        }),
        { numRuns: RUNS },
      );
    },
  );
}
