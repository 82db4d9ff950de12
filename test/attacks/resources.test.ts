import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { sendRaw } from "../support/raw.ts";
import { startRawGateway } from "../support/raw-gateway.ts";
import { specGateway } from "../support/spec-gateway.ts";

// ATTACKS 44, 45 and 49: what costs its sender nothing is bounded, and others are served meanwhile.

const GET = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";

/** Names that a table without a secret of its own would put in one place: numbers that differ in their high bits alone. */
const COLLIDING: [string, (i: number) => string][] = [
  ["numbers", (i) => String(i)],
  ["numbers that differ in their high bits", (i) => String((i * 65_536) % 4_294_967_295)],
  ["words", (i) => `k${i.toString(36)}`],
  ["words of two letters alone", (i) => i.toString(2).padStart(17, "0").replaceAll("0", "Aa").replaceAll("1", "BB")],
  ["names of prototypes", (i) => `${["__proto__", "constructor", "toString"][i % 3]}${i < 3 ? "" : i}`],
];

const filled = (count: number, name: (i: number) => string): string => {
  const keys = new Set<string>();
  for (let i = 0; keys.size < count && i < 4 * count; i++) keys.add(name(i));
  return JSON.stringify(Object.fromEntries([...keys].map((key) => [key, 1])));
};

const DOCUMENT = {
  openapi: "3.1.0",
  info: { title: "Keys", version: "1" },
  paths: {
    "/a": {
      get: {
        parameters: [{ in: "query", name: "all", style: "form", schema: { type: "object" } }],
        responses: { default: { description: "any" } },
      },
      post: {
        requestBody: {
          content: { "application/json": { schema: { type: "object", additionalProperties: { type: "integer" } } } },
        },
        responses: { default: { description: "any" } },
      },
    },
  },
};

for (const [what, name] of COLLIDING) {
  test(`a body of many keys that are ${what} takes no more than its share of time`, async (t) => {
    const gateway = await specGateway(t, { document: DOCUMENT, options: { limits: { bodyBytes: "16MiB" } } });
    const timeOf = async (count: number): Promise<number> => {
      const body = filled(count, name);
      let best = Number.POSITIVE_INFINITY;
      for (let i = 0; i < 3; i++) {
        const beginsAt = process.cpuUsage();
        const { status } = await gateway.send("POST", "/a", { headers: { "content-type": "application/json" }, body });
        assert.ok(status === 200 || status === 400, `answered ${status}`);
        const { user, system } = process.cpuUsage(beginsAt);
        best = Math.min(best, user + system);
      }
      return best;
    };
    await timeOf(10_000);
    const [few, many] = [await timeOf(10_000), await timeOf(80_000)];
    // In squares, eight times as many would take 64 times as long.
    assert.ok(many < 32 * few, `${few} µs for 10,000 keys, ${many} µs for 80,000`);
  });
}

test("query keys and header fields have a cap, whatever they are called", async (t) => {
  const { base, upstream } = await startRawGateway(t);
  for (const [what, name] of COLLIDING) {
    const query = Array.from({ length: 10_000 }, (_, i) => `${name(i)}=1`).join("&");
    assert.deepEqual(
      (await sendRaw(base, `GET /a?${query} HTTP/1.1\r\nHost: a\r\n\r\n`, { answers: 1 })).statuses,
      [431],
      what,
    );
    const fields = Array.from({ length: 2_000 }, (_, i) => `${name(i)}: 1\r\n`).join("");
    assert.deepEqual(
      (await sendRaw(base, `GET /a HTTP/1.1\r\nHost: a\r\n${fields}\r\n`, { answers: 1 })).statuses,
      [431],
      what,
    );
  }
  assert.equal(upstream.requests.length, 0);
});

/** Clients that send that, and nothing more. @returns once all of them are connected */
async function openMany(t: TestContext, base: string, count: number, bytes: string): Promise<Socket[]> {
  const { port } = new URL(base);
  const sockets = Array.from({ length: count }, () => connect(Number(port), "127.0.0.1"));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  await Promise.all(
    sockets.map(async (socket) => {
      socket.on("error", () => {});
      await once(socket, "connect");
      if (bytes !== "") socket.write(bytes);
      socket.resume();
    }),
  );
  return sockets;
}

for (const [what, bytes] of [
  ["say nothing", ""],
  ["begin a header section", "GET /a HTTP/1.1\r\nHost: a\r\nX-"],
  ["begin a short body", "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nx"],
  ["begin a long body", "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nx"],
  ["begin a chunk", "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nx"],
] as const) {
  test(`1,000 clients that ${what} are let go, and others are served meanwhile`, async (t) => {
    const { base } = await startRawGateway(t, {
      options: { limits: { headerSeconds: 2, bodyIdleSeconds: 2, connectionsPerAddress: 5_000 } },
      // Too few for all who hold one.
      route: { upstreamConnections: 64 },
    });
    const sockets = await openMany(t, base, 1_000, bytes);
    const isOpen = (socket: Socket): boolean => !socket.destroyed && !socket.readableEnded;
    let served = 0;
    await eventually("they are let go", async () => {
      assert.deepEqual((await sendRaw(base, GET, { answers: 1 })).statuses, [200]);
      served++;
      return !sockets.some(isOpen);
    });
    assert.ok(served > 1, "others were served while they were there");
  });
}

/** A service that sends events for as long as somebody takes them. */
async function startEvents(t: TestContext): Promise<{ url: string; sent: () => number; open: Set<ServerResponse> }> {
  let sent = 0;
  const open = new Set<ServerResponse>();
  const event = `data: ${"e".repeat(4_000)}\n\n`;
  const server = createServer((request, response) => {
    open.add(response);
    response.on("close", () => open.delete(response));
    response.writeHead(200, { "content-type": "text/event-stream" });
    if (request.url === "/quiet") {
      response.write("data: first\n\n");
      return;
    }
    const pump = (): void => {
      while (!response.destroyed) {
        sent += event.length;
        if (!response.write(event)) {
          response.once("drain", () => setImmediate(pump));
          return;
        }
      }
    };
    pump();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, sent: () => sent, open };
}

test("events that their client never reads stop the service, and then the client is let go", async (t) => {
  const events = await startEvents(t);
  const { base } = await startRawGateway(t, {
    options: { limits: { bodyIdleSeconds: 1 } },
    route: { upstream: { targets: [{ url: events.url }] } },
  });
  const [client] = (await openMany(t, base, 1, GET)) as [Socket];
  client.pause();
  await eventually("the service is let go", () => events.sent() > 0 && events.open.size === 0);
  assert.ok(events.sent() < 128 * 1024 * 1024, `${events.sent()} bytes were taken`);
});

test("events whose service hangs up end without a last chunk", async (t) => {
  const events = await startEvents(t);
  const { base } = await startRawGateway(t, { route: { upstream: { targets: [{ url: events.url }] } } });
  const answer = sendRaw(base, "GET /quiet HTTP/1.1\r\nHost: a\r\n\r\n");
  const [response] = [...(await eventually("the stream", () => events.open.size === 1 && events.open))];
  await eventually("its head has left", () => response?.headersSent);
  setImmediate(() => response?.destroy());
  const { isClosed, text } = await answer;
  assert.ok(isClosed);
  assert.ok(!text.endsWith("0\r\n\r\n"));
});
