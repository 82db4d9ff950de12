import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { deflateRawSync } from "node:zlib";
import { eventually } from "../support/eventually.ts";
import { startRawGateway } from "../support/raw-gateway.ts";

// ATTACKS 48: bytes that no library would send, in both directions.

const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT = createHash("sha1").update(`${KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
const MAX = 1_000;

interface Pair {
  readonly client: Socket;
  readonly fromGateway: () => Buffer;
  readonly upstream: Socket;
  readonly atUpstream: () => Buffer;
}

/** A WebSocket through the gateway, both ends of it in hand. @param extensions that both sides name */
async function openPair(t: TestContext, extensions = ""): Promise<Pair> {
  let upstream: Socket | undefined;
  let toUpstream = Buffer.alloc(0);
  const { base } = await startRawGateway(t, {
    route: { operations: { socket: { websocket: { maxMessageBytes: MAX } } } },
    answer: (_request, socket) => {
      upstream = socket;
      socket.removeAllListeners("data");
      socket.on("data", (chunk: Buffer) => {
        toUpstream = Buffer.concat([toUpstream, chunk]);
      });
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${ACCEPT}\r\n${extensions}\r\n`,
      );
    },
  });
  const client = connect(Number(new URL(base).port), "127.0.0.1");
  t.after(() => client.destroy());
  let all = Buffer.alloc(0);
  client.on("error", () => {});
  client.on("data", (chunk) => {
    all = Buffer.concat([all, chunk]);
  });
  await once(client, "connect");
  client.write(
    `GET /socket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: ${KEY}\r\nSec-WebSocket-Version: 13\r\n${extensions}\r\n`,
  );
  await eventually("the handshake", () => all.includes("\r\n\r\n") && upstream !== undefined);
  const fromGateway = (): Buffer => all.subarray(all.indexOf("\r\n\r\n") + 4);
  return { client, fromGateway, upstream: upstream as unknown as Socket, atUpstream: () => toUpstream };
}

/** @param first byte of the frame: its flags and kind */
function frame(first: number, payload: Buffer, isMasked: boolean): Buffer {
  const mask = isMasked ? 0x80 : 0;
  const size = payload.length < 126 ? Buffer.from([mask | payload.length]) : Buffer.from([mask | 126, 0, 0]);
  if (payload.length >= 126) size.writeUInt16BE(payload.length, 1);
  return Buffer.concat([Buffer.from([first]), size, Buffer.alloc(isMasked ? 4 : 0), payload]);
}
const closeCode = (bytes: Buffer): number | undefined => {
  const at = bytes.lastIndexOf(Buffer.from([0x88, 0x02]));
  return at < 0 ? undefined : bytes.readUInt16BE(at + 2);
};
const huge = (isMasked: boolean): Buffer =>
  Buffer.concat([
    Buffer.from([0x82, (isMasked ? 0x80 : 0) | 127, 0, 0, 0, 0, 0x40, 0, 0, 0]),
    Buffer.alloc(isMasked ? 4 : 0),
  ]);

const FLOODS: [string, number, (isMasked: boolean) => Buffer][] = [
  ["a gigabyte announced", 1009, huge],
  [
    "a message in endless pieces",
    1009,
    (m) =>
      Buffer.concat([
        frame(0x01, Buffer.alloc(10), m),
        ...Array.from({ length: 200 }, () => frame(0x00, Buffer.alloc(10), m)),
      ]),
  ],
  [
    "pieces that each call themselves the first",
    1002,
    (m) => Buffer.concat(Array.from({ length: 200 }, () => frame(0x01, Buffer.alloc(10), m))),
  ],
  ["a piece of no message", 1002, (m) => frame(0x80, Buffer.alloc(10), m)],
  [
    "compression that nobody has agreed on",
    1002,
    (m) => frame(0xc2, deflateRawSync(Buffer.alloc(1_000_000)).subarray(0, 900), m),
  ],
  ["a kind that is reserved", 1002, (m) => frame(0x83, Buffer.alloc(0), m)],
  ["a ping in pieces", 1002, (m) => frame(0x09, Buffer.alloc(0), m)],
  ["a flood of pings", 1008, (m) => Buffer.concat(Array.from({ length: 500 }, () => frame(0x89, Buffer.alloc(0), m)))],
  ["masks the wrong way round", 1002, (m) => frame(0x81, Buffer.alloc(1), !m)],
];

for (const [what, code, make] of FLOODS) {
  for (const isFromClient of [true, false]) {
    test(`${what}, by ${isFromClient ? "the client" : "the upstream"}, closes both sides with ${code}`, async (t) => {
      const { client, upstream, fromGateway, atUpstream } = await openPair(t);
      (isFromClient ? client : upstream).write(make(isFromClient));
      await eventually("the client is told", () => closeCode(fromGateway()) === code);
      await eventually("the client is let go", () => client.readableEnded || client.destroyed);
      await eventually("the upstream is let go", () => upstream.readableEnded || upstream.destroyed);
      const passed = (isFromClient ? atUpstream() : fromGateway()).length;
      assert.ok(passed <= MAX + 2_000, `${passed} bytes went through`);
    });
  }
}

test("what was compressed by agreement passes as it is: the gateway expands nothing", async (t) => {
  const { client, atUpstream } = await openPair(t, "Sec-WebSocket-Extensions: permessage-deflate\r\n");
  const bomb = frame(0xc2, deflateRawSync(Buffer.alloc(500_000)), true);
  client.write(bomb);
  await eventually("it is there", () => atUpstream().length >= bomb.length);
  assert.deepEqual(atUpstream(), bomb);
});

test("a client that closes its half and stays is let go, and so is the upstream", async (t) => {
  const { client, upstream } = await openPair(t);
  client.allowHalfOpen = true;
  client.end();
  await eventually("the upstream is let go", () => upstream.readableEnded);
  await eventually("the client is let go", () => client.readableEnded || client.destroyed);
});
