import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { PoolGroup } from "../../../src/forwarding/pools.ts";
import { ask } from "../../support/byte-upstream.ts";
import { eventually } from "../../support/eventually.ts";
import { answerOk, sendRaw, startRawUpstream } from "../../support/raw.ts";
import { startRawGateway } from "../../support/raw-gateway.ts";

const settings = {
  // So that it is not they that end the slow client.
  options: { limits: { bodyIdleSeconds: 600 } },
  route: { upstreamConnections: 1, retries: { attempts: 0 } },
};

function open(t: TestContext, base: string, bytes: string): Socket {
  const client = connect(Number(new URL(base).port), "127.0.0.1");
  t.after(() => client.destroy());
  client.on("error", () => {});
  client.write(bytes);
  return client;
}

test("a client that does not read makes room for who waits for the instance", async (t) => {
  const { base, upstream } = await startRawGateway(t, {
    ...settings,
    answer(request, socket) {
      if (!request.startsWith("GET /endless")) return answerOk(request, socket);
      socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      const chunk = `10000\r\n${"x".repeat(65_536)}\r\n`;
      const more = (): void => {
        while (!socket.destroyed && socket.write(chunk));
      };
      socket.on("drain", more);
      more();
    },
  });
  open(t, base, "GET /endless HTTP/1.1\r\nHost: a\r\n\r\n");
  await eventually("the only connection is taken", () => upstream.requests.length === 1);
  assert.deepEqual((await sendRaw(base, "GET /a HTTP/1.1\r\nHost: a\r\n\r\n", { answers: 1 })).statuses, [200]);
});

test("a client that trickles a large body makes room for who waits for the instance", async (t) => {
  const { base, upstream } = await startRawGateway(t, settings);
  const slow = open(t, base, `POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n${"x".repeat(2_000)}`);
  let told = "";
  slow.on("data", (chunk: Buffer) => {
    told += chunk.toString();
  });
  await eventually("the only connection is taken", () => upstream.connections.open === 1);
  assert.deepEqual((await sendRaw(base, "GET /a HTTP/1.1\r\nHost: a\r\n\r\n", { answers: 1 })).statuses, [200]);
  await eventually("the slow client is told", () => told.startsWith("HTTP/1.1 408 "));
  assert.equal(upstream.requests.length, 1);
});

test("whoever waits for a slow instance keeps the connection", async (t) => {
  const sockets: Socket[] = [];
  const upstream = await startRawUpstream(t, (_request, socket) => void sockets.push(socket));
  const group = new PoolGroup({ connections: 1 });
  t.after(() => group.destroy());
  const first = ask(group, upstream.url);
  await eventually("the only connection is taken", () => sockets.length === 1);
  const second = ask(group, upstream.url);
  group.of(upstream.url).sweep(performance.now() + 10_000);
  answerOk("", sockets[0] as Socket);
  assert.equal((await first).status, 200);
  await eventually("the second has its turn", () => sockets.length === 2);
  answerOk("", sockets[1] as Socket);
  assert.equal((await second).status, 200);
  assert.equal(upstream.connections.opened, 1);
});
