import assert from "node:assert/strict";
import { once } from "node:events";
import { type IncomingMessage, request, type ServerResponse } from "node:http";
import { test } from "node:test";
import { startCachedService } from "../support/cached-service.ts";
import { eventually } from "../support/eventually.ts";

test("a thousand equal misses at once make one request upstream", async (t) => {
  const held: ServerResponse[] = [];
  const service = await startCachedService(t, (_request, response) => held.push(response));
  const gets = Array.from({ length: 1000 }, () => service.get("/orders"));
  await eventually("the first is upstream", () => held.length === 1);
  held[0]?.writeHead(200, { "Cache-Control": "max-age=60" }).end("one");
  const got = await Promise.all(gets);
  assert.deepEqual([...new Set(got.map(({ text }) => text))], ["one"]);
  assert.equal(service.asked.length, 1);
  assert.ok(got.filter(({ cache }) => cache.includes("collapsed")).length > 0);
});

test("a thousand equal misses for a large answer make one request upstream", async (t) => {
  const body = "0123456789".repeat(10_000);
  const held: ServerResponse[] = [];
  const service = await startCachedService(t, (_request, response) => held.push(response));
  const gets = Array.from({ length: 1000 }, () => service.get("/orders"));
  await eventually("the first is upstream", () => held.length === 1);
  // Most of it at first, so that those who come later find it under way.
  held[0]?.writeHead(200, { "Cache-Control": "max-age=60" }).write(body.slice(0, 70_000));
  held[0]?.end(body.slice(70_000));
  for (const { text } of await Promise.all(gets)) assert.ok(text === body);
  assert.equal(service.asked.length, 1);
});

for (const size of [10, 500_000]) {
  test(`a leader that goes away does not fail those who wait, for ${size} bytes`, async (t) => {
    const held: ServerResponse[] = [];
    const service = await startCachedService(t, (_request, response) => held.push(response));
    const leader = request(`${service.url}/orders`, (response) => response.once("data", () => leader.destroy()));
    leader.on("error", () => {});
    leader.end();
    await eventually("the leader is upstream", () => held.length === 1);
    const followers = Array.from({ length: 20 }, () => service.get("/orders"));
    const body = "x".repeat(size);
    held[0]?.writeHead(200, { "Cache-Control": "max-age=60", "Content-Length": size });
    if (size > 100_000) {
      held[0]?.write(body.slice(0, 100_000));
      await eventually("the leader is gone", () => leader.destroyed);
    } else {
      leader.destroy();
    }
    held[0]?.end(size > 100_000 ? body.slice(100_000) : body);
    for (const { status, text } of await Promise.all(followers)) assert.deepEqual([status, text], [200, body]);
    assert.ok(service.asked.length <= 2);
  });
}

test("once nobody waits any more, the upstream is let go", async (t) => {
  let isGone = false;
  const service = await startCachedService(t, (_request, response) => {
    response.once("close", () => {
      isGone = true;
    });
  });
  const clients = Array.from({ length: 3 }, () => {
    const client = request(`${service.url}/orders`);
    client.on("error", () => {});
    client.end();
    return client;
  });
  await eventually("it is upstream", () => service.asked.length === 1);
  for (const client of clients) client.destroy();
  await eventually("the upstream is let go", () => isGone);
});

test("an uncacheable answer releases those who wait at once, and the next are not made to wait", async (t) => {
  const held: ServerResponse[] = [];
  const service = await startCachedService(t, (_request, response) => held.push(response));
  const gets = Array.from({ length: 10 }, () => service.get("/orders"));
  await eventually("one is upstream", () => held.length === 1);
  held[0]?.writeHead(200, { "Cache-Control": "no-store" }).write("begun");
  await eventually("the others are upstream as well, side by side", () => held.length === 10);
  const next = [service.get("/orders"), service.get("/orders")];
  await eventually("two more go side by side", () => held.length === 12);
  for (const response of held) response.end();
  await Promise.all([...gets, ...next]);
});

test("an upstream that fails, fails once for all who wait", async (t) => {
  const service = await startCachedService(t, (_request, response) => {
    setTimeout(() => response.destroy(), 200);
  });
  const got = await Promise.all(Array.from({ length: 20 }, () => service.get("/orders")));
  assert.deepEqual([...new Set(got.map(({ status }) => status))], [502]);
  assert.ok(service.asked.length < 20);
});

test("those who wait for another variant fetch their own", async (t) => {
  const service = await startCachedService(t, (request, response) => {
    const headers = { "Cache-Control": "max-age=60", Vary: "Accept" };
    setTimeout(() => response.writeHead(200, headers).end(request.headers.accept), 50);
  });
  const wanted = ["a", "b", "a", "b"];
  const got = await Promise.all(wanted.map((accept) => service.get("/orders", { Accept: accept })));
  assert.deepEqual(
    got.map(({ text }) => text),
    wanted,
  );
  await service.get("/orders", { Accept: "a" });
  const asked = service.asked.length;
  for (const accept of wanted) assert.equal((await service.get("/orders", { Accept: accept })).text, accept);
  assert.equal(service.asked.length, asked);
});

test("a stale answer is served at once while it is fetched again once in the background", async (t) => {
  const held: ServerResponse[] = [];
  const headers = { "Cache-Control": "max-age=0, stale-while-revalidate=60" };
  const service = await startCachedService(t, (_request, response) => {
    held.push(response);
    if (held.length === 1) response.writeHead(200, headers).end("one");
  });
  await service.get("/orders");
  const got = await Promise.all(Array.from({ length: 20 }, () => service.get("/orders")));
  assert.ok(got.every(({ cache }) => cache.startsWith("Portico; hit")));
  await eventually("it is being fetched again", () => held.length === 2);
  held[1]?.writeHead(200, headers).end("two");
  await eventually("the new one is there", async () => (await service.get("/orders")).text === "two");
});

test("what a 304 says to one client alone is not said to those who waited with it", async (t) => {
  let asked: ServerResponse | undefined;
  const service = await startCachedService(t, (_request, response) => {
    const count = service.asked.length;
    if (count === 1) response.writeHead(200, { "Cache-Control": "max-age=0", ETag: '"one"' }).end("kept");
    else if (count === 2) asked = response;
    else response.writeHead(200, { "Cache-Control": "no-store" }).end("own");
  });
  await service.get("/orders");
  const first = service.get("/orders");
  const held = await eventually("it is asked whether it still holds", () => asked);
  let isFollowed = false;
  const follower = service.get("/orders").finally(() => {
    isFollowed = true;
  });
  // Another path is answered meanwhile: who came before that is waiting.
  await service.get("/stats");
  assert.equal(isFollowed, false);
  held.writeHead(304, { "Cache-Control": "max-age=0", ETag: '"one"', "Set-Cookie": "id=of-the-first" }).end();
  assert.notEqual((await first).headers["set-cookie"], undefined);
  const { headers, text } = await follower;
  assert.deepEqual([headers["set-cookie"], text], [undefined, "own"]);
});

for (const type of ["text/event-stream", "Text/Event-Stream ; charset=utf-8", "multipart/x-mixed-replace;boundary=a"]) {
  test(`nobody waits for the end of another's ${type}`, async (t) => {
    const service = await startCachedService(
      t,
      (_request, response) => response.writeHead(200, { "Content-Type": type }).write("data: first\n\n"),
      { ttlSeconds: 60 },
    );
    const readFirst = (): Promise<string> =>
      new Promise((resolve, reject) => {
        const client = request(`${service.url}/orders`, (response) => {
          response.once("data", (chunk: Buffer) => resolve(String(chunk)));
          response.once("error", () => {});
        });
        client.once("error", reject);
        client.end();
        t.after(() => client.destroy());
      });
    for (let i = 1; i <= 3; i++) {
      assert.equal(await readFirst(), "data: first\n\n");
      assert.equal(service.asked.length, i);
    }
  });
}

test("those whom Vary keeps apart fetch once for each variant", async (t) => {
  const held: { language: string; response: ServerResponse }[] = [];
  const service = await startCachedService(t, ({ headers }, response) => {
    held.push({ language: String(headers["accept-language"]), response });
  });
  const answer = ({ language, response }: (typeof held)[number]): void => {
    response.writeHead(200, { "Cache-Control": "max-age=60", Vary: "Accept-Language" }).end(language);
  };
  const languages = ["en", "de", "fr"];
  const gets = Array.from({ length: 60 }, (_, i) =>
    service.get("/orders", { "Accept-Language": languages[i % 3] as string }),
  );
  await eventually("the first is upstream", () => held.length === 1);
  const marker = service.get("/stats");
  await eventually("the marker is upstream", () => held.length === 2);
  for (const first of held.splice(0)) answer(first);
  await marker;
  await eventually("one of each other variant is upstream", () => held.length === 2);
  assert.equal(new Set(held.map(({ language }) => language)).size, 2);
  for (const other of held) answer(other);
  for (const [i, { text }] of (await Promise.all(gets)).entries()) assert.equal(text, languages[i % 3]);
  assert.equal(service.asked.length, 4);
});

test("an answer that turns out too large to store is not waited for the next time", async (t) => {
  const held: ServerResponse[] = [];
  const store = { entryBytes: 10_000 };
  const service = await startCachedService(t, (_request, response) => held.push(response), {}, { store });
  const first = service.get("/orders");
  await eventually("it is upstream", () => held.length === 1);
  // Of a length that nobody tells beforehand.
  held[0]?.writeHead(200, { "Cache-Control": "max-age=60" }).write("x".repeat(100_000));
  await eventually("the next ones go side by side", async () => {
    const next = [service.get("/orders"), service.get("/orders")];
    await eventually("they are upstream", () => held.length >= 3);
    for (const response of held.splice(0)) response.end();
    await Promise.all([first, ...next]);
    return true;
  });
});

test("who was told by a slow store that it has nothing is given what is being stored by then", async (t) => {
  const held: ServerResponse[] = [];
  const service = await startCachedService(t, (_request, response) => held.push(response));
  const { store } = service.gateway.cache;
  const find = store.find.bind(store);
  const looking: (() => void)[] = [];
  Object.defineProperty(store, "isImmediate", { value: false });
  store.find = async (key) => {
    await new Promise<void>((resolve) => looking.push(resolve));
    return find(key);
  };
  const lookUps = (count: number) => eventually(`look-up ${count}`, () => looking.length === count);
  const first = service.get("/orders");
  await lookUps(1);
  looking[0]?.();
  await eventually("it is upstream", () => held.length === 1);
  const second = service.get("/orders");
  await lookUps(2);
  held[0]?.writeHead(200, { "Cache-Control": "max-age=60" }).end("one");
  assert.equal((await first).text, "one");
  // The third is where it is to be stored; the second is answered before that.
  await lookUps(3);
  looking[1]?.();
  assert.equal((await second).text, "one");
  looking[2]?.();
  assert.equal(service.asked.length, 1);
});

test("an answer for all that comes after variants which were asked for later is given to all", async (t) => {
  const held: ServerResponse[] = [];
  const service = await startCachedService(t, (_request, response) => held.push(response));
  const first = service.get("/orders");
  await eventually("it is upstream", () => held.length === 1);
  const second = service.get("/orders", { cookie: "a=1", "x-a": "1" });
  await eventually("the second is upstream", () => held.length === 2);
  held[1]?.writeHead(200, { "Cache-Control": "public, max-age=60", Vary: "X-A" }).end("one");
  assert.equal((await second).text, "one");
  held[0]?.writeHead(200, { "Cache-Control": "public, max-age=60" }).end("all");
  assert.equal((await first).text, "all");
  for (const headers of [{}, { "x-a": "1" }, { "x-a": "2" }]) {
    assert.equal((await service.get("/orders", headers)).text, "all");
  }
  assert.equal(service.asked.length, 2);
});

for (const [what, length, isReleased] of [
  ["whose end nobody knows, and which may never come,", undefined, true],
  ["that tells its length", 200_000, false],
] as const) {
  test(`who waits for an answer ${what} is ${isReleased ? "" : "not "}let go after a while`, async (t) => {
    const held: ServerResponse[] = [];
    const body = "x".repeat(200_000);
    const service = await startCachedService(t, ({ url }, response) => {
      if (url === "/stats") {
        response.end();
        return;
      }
      response.writeHead(200, {
        "Cache-Control": "max-age=60",
        ...(length === undefined ? {} : { "Content-Length": length }),
      });
      response.write(body.slice(0, 5));
      held.push(response);
    });
    const leader = request(`${service.url}/orders`, (response) => response.resume()).end();
    const [answer] = (await once(leader, "response")) as [IncomingMessage];
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const followers = [service.get("/orders"), service.get("/orders")];
    // Another path is answered meanwhile: who came before that is waiting.
    await service.get("/stats");
    t.mock.timers.tick(5000);
    // The same once more: who was let go is upstream.
    await service.get("/stats");
    t.mock.timers.reset();
    if (isReleased) await eventually("both ask for themselves", () => held.length === 3);
    assert.equal(held.length, isReleased ? 3 : 1);
    for (const response of held) response.end(body.slice(5));
    await once(answer, "end");
    for (const { text } of await Promise.all(followers)) assert.ok(text === body);
  });
}
