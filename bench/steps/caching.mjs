import { createCache } from "../../dist/src/caching/create-cache.js";
import { createCacheHandler } from "../../dist/src/caching/handler.js";
import { Exchange } from "../../dist/src/core/exchange.js";
import { HeaderList } from "../../dist/src/core/headers.js";

const COUNT = 50_000;
const AT_ONCE = 64;
const names = ["content-type", "content-length", "date", "cache-control"];
const today = new Date().toUTCString();
const fields = (control) => [
  ...["Content-Type", "application/json", "Content-Length", "350"],
  ...["Date", today, "Cache-Control", control],
];
const body = Buffer.alloc(350, "x");

/** What the cache alone adds to a request, 64 of them under way at once: an upstream that answers at once stands behind it. */
export async function run({ row }) {
  const cache = await createCache({});
  const operation = {
    id: "get",
    method: "GET",
    path: "/",
    publicPath: "/",
    security: [],
    parameters: [],
    responses: [],
  };
  const step = createCacheHandler({ cache, operation, options: {}, schemes: new Map(), siblings: [] });
  const upstream = new Upstream();
  const bare = await measure(
    upstream,
    (exchange) => upstream.answer(exchange, "no-store"),
    () => "q",
  );
  const cases = [
    ["cache: hit", "max-age=3600", () => "hit"],
    ["cache: miss, not storable, one URL", "no-store", () => "one"],
    ["cache: miss, not storable, a new URL each", "no-store", (i) => `new=${i}`],
    ["cache: miss, stored, a new URL each", "max-age=3600", (i) => `kept=${i}`],
  ];
  for (const [name, control, query] of cases) {
    const next = (exchange) => upstream.answer(exchange, control);
    row(name, (await measure(upstream, (exchange) => step(exchange, next), query)) - bare);
  }
  await cache.close();
}

async function measure(upstream, handle, query) {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 5; round++) {
    const from = process.cpuUsage();
    for (let i = 0; i < COUNT; i += AT_ONCE) {
      let left = AT_ONCE;
      const done = () => left--;
      for (let j = 0; j < AT_ONCE; j++) handle(toExchange(query(round * COUNT + i + j))).then(done);
      for (; left > 0; await null) upstream.flush();
      if (i % 1024 === 0) await new Promise(setImmediate);
    }
    const { user, system } = process.cpuUsage(from);
    least = Math.min(least, ((user + system) * 1000) / COUNT);
  }
  return least;
}

/** Answers all that it has been asked, when told to. */
class Upstream {
  #waiting = [];

  answer(_exchange, control) {
    return new Promise((resolve) => this.#waiting.push([resolve, control]));
  }

  flush() {
    const all = this.#waiting;
    this.#waiting = [];
    for (const [resolve, control] of all) {
      resolve({ status: 200, headers: new HeaderList(fields(control), [...names]), body });
    }
  }
}

const toExchange = (query) =>
  new Exchange({
    id: "1",
    startedAtMs: 0,
    client: { address: "127.0.0.1", peer: "127.0.0.1" },
    request: {
      method: "GET",
      target: "/",
      path: "/",
      query,
      headers: new HeaderList(["Accept", "*/*", "User-Agent", "bench"], ["accept", "user-agent"]),
      body: null,
      httpVersion: "1.1",
      scheme: "http",
      authority: "127.0.0.1",
    },
  });
