import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { startCachedService } from "../support/cached-service.ts";
import { sendRaw } from "../support/raw.ts";

const BODY = "caf\xe9 ".repeat(20);
const stored = { "Cache-Control": "max-age=60", ETag: '"one"', "Content-Length": BODY.length, "X-Twice": ["a", "b"] };
const answer = (_request: unknown, response: import("node:http").ServerResponse): void => {
  response.writeHead(200, stored as never).end(Buffer.from(BODY, "latin1"));
};
const GET = "GET /orders HTTP/1.1\r\nHost: a\r\n";

/** What a request is answered so many times on one connection, without what differs from second to second. */
async function texts(url: string, request: string, count: number): Promise<string[]> {
  const last = `${GET}Connection: close\r\n\r\n`;
  const { text } = await sendRaw(url, request.repeat(count) + last);
  const all = text.replace(/Age: \d+/g, "Age: 0").replace(/ttl=-?\d+/g, "ttl=60");
  return all.split(/(?=HTTP\/1\.1 )/).slice(0, count);
}

for (const [what, fields] of [
  ["a hit", ""],
  ["a 304", 'If-None-Match: "one"\r\n'],
] as const) {
  test(`${what} is the same to the byte whether it leaves for the first time or again`, async (t) => {
    const service = await startCachedService(t, answer);
    await service.get("/orders", { Host: "a" });
    const all = await texts(service.url, `${GET}${fields}\r\n`, 6);
    assert.equal(new Set(all).size, 1, all.join("\n---\n"));
    assert.match(all[0] as string, /Connection: keep-alive\r\nKeep-Alive: timeout=\d+\r\n\r\n/);
    assert.equal((all[0] as string).endsWith(BODY), fields === "");
  });
}

for (const [by, first] of [
  ["a lane", `${GET}\r\n`],
  ["node:http", `${GET}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
] as const) {
  test(`long bodies follow their heads, the first time and again, on a connection of ${by}`, async (t) => {
    for (const length of [4_096, 4_097, 100_000]) {
      const body = "\xe9".repeat(length - 1) + length.toString().slice(-1);
      const service = await startCachedService(t, (_request, response) => {
        response.writeHead(200, { ...stored, "Content-Length": length } as never).end(Buffer.from(body, "latin1"));
      });
      await service.get("/orders", { Host: "a" });
      const again = `${GET}\r\n`.repeat(5);
      const { text } = await sendRaw(service.url, `${first}${again}${GET}Connection: close\r\n\r\n`);
      const bodies = text.split(/HTTP\/1\.1 [\s\S]*?\r\n\r\n/).slice(1);
      assert.equal(bodies.length, 7);
      assert.ok(bodies.every((sent) => sent === body));
    }
  });
}

test("one connection is answered again and again, pipelined or not", async (t) => {
  const service = await startCachedService(t, answer);
  await service.get("/orders", { Host: "a" });
  const mixed = [
    `${GET}\r\n`,
    `${GET}If-None-Match: "one"\r\n\r\n`,
    `HEAD${GET.slice(3)}\r\n`,
    `${GET}Range: bytes=0-1\r\n\r\n`,
  ];
  const { statuses } = await sendRaw(service.url, [...mixed, ...mixed, ...mixed].join(""), { answers: 12 });
  assert.deepEqual(statuses, [200, 304, 200, 206, 200, 304, 200, 206, 200, 304, 200, 206]);
});

test("a connection that is to be closed is closed, and HTTP/1.0 is told so", async (t) => {
  const service = await startCachedService(t, answer);
  await service.get("/orders", { Host: "a" });
  await texts(service.url, `${GET}\r\n`, 3);
  const closing = await sendRaw(service.url, `${GET}Connection: close\r\n\r\n`);
  assert.ok(closing.isClosed && /Connection: close\r\n/.test(closing.text) && closing.text.endsWith(BODY));
  const old = await sendRaw(service.url, "GET /orders HTTP/1.0\r\nHost: a\r\n\r\n");
  assert.ok(old.isClosed && old.text.endsWith(BODY) && !/keep-alive/i.test(old.text));
});

test("what a plugin adds to an answer is in every one, and in nobody else's", async (t) => {
  const service = await startCachedService(t, answer, {}, {}, { plugins: ["request-id"] });
  const ids = new Set<unknown>();
  for (let i = 0; i < 5; i++) ids.add((await service.get("/orders")).headers["x-request-id"]);
  assert.equal(ids.size, 5);
  assert.equal(ids.has(undefined), false);
});

test("the age goes on while an answer leaves again and again", async (t) => {
  const service = await startCachedService(t, answer);
  const ages = new Set<string | undefined>();
  const endsAtMs = Date.now() + 20_000;
  while (ages.size < 3 && Date.now() < endsAtMs) ages.add((await service.get("/orders")).headers.age);
  assert.ok(ages.has("1"), [...ages].join());
});

test("a client that goes away in the middle of many answers harms no other", async (t) => {
  const service = await startCachedService(t, answer);
  await service.get("/orders", { Host: "a" });
  const socket = connect(Number(new URL(service.url).port), "127.0.0.1");
  await once(socket, "connect");
  socket.write(`${GET}\r\n`.repeat(200));
  await once(socket, "data");
  socket.destroy();
  for (let i = 0; i < 5; i++)
    assert.equal((await service.get("/orders", { Host: "a" })).headers.age !== undefined, true);
});
