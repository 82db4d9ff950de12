import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { once } from "node:events";
import type { Socket } from "node:net";
import { connect } from "node:net";
import { test } from "node:test";
import type { RouteOptions } from "../../src/config/schema.ts";
import { until } from "../support/load.ts";
import { sendRaw } from "../support/raw.ts";
import { startRawGateway } from "../support/raw-gateway.ts";

const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const accept = createHash("sha1").update(`${KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
const SWITCH = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;
const handshake = (fields = "", version = 13): string =>
  `GET /socket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: ${KEY}\r\nSec-WebSocket-Version: ${version}\r\n${fields}\r\n`;

/** A text frame. */
function frame(text: string, isMasked: boolean): Buffer {
  const head = [0x81, (isMasked ? 0x80 : 0) | text.length];
  return Buffer.concat([Buffer.from(head), Buffer.alloc(isMasked ? 4 : 0), Buffer.from(text)]);
}

/** An upstream that agrees and sends every frame of the client back as a frame of its own. */
function echo(_request: string, socket: Socket): void {
  socket.removeAllListeners("data");
  socket.write(SWITCH);
  socket.on("data", (chunk: Buffer) => {
    if ((chunk[0] as number) === 0x81) socket.write(frame(chunk.subarray(6).toString(), false));
    else socket.emit("control", chunk);
  });
}

async function open(
  base: string,
  fields = "",
): Promise<{ socket: Socket; received: () => Buffer; status: () => number }> {
  const socket = connect(Number(new URL(base).port), "127.0.0.1");
  let all = Buffer.alloc(0);
  socket.on("data", (chunk) => {
    all = Buffer.concat([all, chunk]);
  });
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.write(handshake(fields));
  await until("the bytes", () => all.includes("\r\n\r\n"));
  return {
    socket,
    received: () => all.subarray(all.indexOf("\r\n\r\n") + 4),
    status: () => Number(all.toString("latin1", 9, 12)),
  };
}

const allowed: Partial<RouteOptions> = { operations: { socket: { websocket: true } } };

test("messages go both ways once the upstream has switched", async (t) => {
  const { base, upstream } = await startRawGateway(t, { route: allowed, answer: echo });
  const { socket, received } = await open(base, "X-Forwarded-For: 6.6.6.6\r\n");
  t.after(() => socket.destroy());
  for (const text of ["one", "two"]) {
    socket.write(frame(text, true));
    await until("the bytes", () => received().includes(text));
  }
  assert.match(upstream.requests[0] ?? "", /\r\nupgrade: websocket\r\n/i);
  assert.match(upstream.requests[0] ?? "", /\r\nX-Forwarded-For: 127\.0\.0\.1\r\n/i);
  assert.match(upstream.requests[0] ?? "", /\r\nVia: 1\.1 portico-/i);
});

test("an operation that allows no upgrade gets the plain request", async (t) => {
  const { base, upstream } = await startRawGateway(t);
  const { statuses } = await sendRaw(base, handshake());
  assert.deepEqual(statuses, [200]);
  assert.doesNotMatch(upstream.requests[0] ?? "", /\r\nupgrade:/i);
});

test("another version of WebSocket is answered with the one that is spoken, whatever the operation", async (t) => {
  const { base, upstream } = await startRawGateway(t);
  const { statuses, text } = await sendRaw(base, handshake("", 99));
  assert.deepEqual(statuses, [426]);
  assert.match(text, /\r\nSec-WebSocket-Version: 13\r\n/);
  assert.equal(upstream.requests.length, 0);
});

test("h2c is not taken up and never tunnelled", async (t) => {
  const { base, upstream } = await startRawGateway(t, { route: allowed });
  const request =
    "GET /socket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n";
  const { statuses, isClosed } = await sendRaw(base, `${request}PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`);
  assert.deepEqual(statuses, [200]);
  assert.ok(isClosed);
  assert.doesNotMatch(upstream.requests[0] ?? "", /h2c|http2-settings/i);
  assert.equal(upstream.requests.length, 1);
});

test("an answer other than 101 is an answer, and what follows it reaches nobody", async (t) => {
  const { base, upstream } = await startRawGateway(t, {
    route: allowed,
    answer: (_request, socket) => socket.write("HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno"),
  });
  const { statuses, isClosed } = await sendRaw(base, `${handshake()}GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n`);
  assert.deepEqual(statuses, [403]);
  assert.ok(isClosed);
  assert.equal(upstream.requests.length, 1);
});

test("a 101 that does not accept the key is refused with 502", async (t) => {
  const { base } = await startRawGateway(t, {
    route: allowed,
    answer: (_request, socket) => socket.write(SWITCH.replace(accept, "AAAAAAAAAAAAAAAAAAAAAAAAAAA=")),
  });
  const { statuses } = await sendRaw(base, handshake());
  assert.deepEqual(statuses, [502]);
});

test("another version, a bad key and a page of another origin are refused before the upstream is called", async (t) => {
  const { base, upstream } = await startRawGateway(t, { route: allowed });
  assert.deepEqual((await sendRaw(base, handshake("", 12))).statuses, [426]);
  assert.deepEqual((await sendRaw(base, handshake().replace(KEY, "x"))).statuses, [400]);
  assert.deepEqual((await sendRaw(base, handshake("Origin: https://evil.example\r\n"))).statuses, [403]);
  assert.equal(upstream.requests.length, 0);
});

const closeCode = (bytes: Buffer): number | undefined => {
  const at = bytes.indexOf(Buffer.from([0x88, 0x02]));
  return at < 0 ? undefined : bytes.readUInt16BE(at + 2);
};

for (const [what, bytes, code] of [
  ["of a gigabyte", Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0]), 1009],
  ["without a mask", frame("x", false), 1002],
  ["of a reserved kind", Buffer.from([0x83, 0x80, 0, 0, 0, 0]), 1002],
  ["that pings with too much", Buffer.from([0x89, 0xfe, 0x01, 0x00, 0, 0, 0, 0]), 1002],
] as const) {
  test(`a frame ${what} closes with ${code}`, async (t) => {
    const { base } = await startRawGateway(t, { route: allowed, answer: echo });
    const { socket, received } = await open(base);
    socket.write(bytes);
    await until("the bytes", () => closeCode(received()) !== undefined);
    assert.equal(closeCode(received()), code);
    await until("the bytes", () => socket.destroyed || socket.readableEnded);
  });
}

test("a flood of pings closes with 1008", async (t) => {
  const { base } = await startRawGateway(t, { route: allowed, answer: echo });
  const { socket, received } = await open(base);
  const ping = Buffer.from([0x89, 0x80, 0, 0, 0, 0]);
  socket.write(Buffer.concat(Array.from({ length: 500 }, () => ping)));
  await until("the bytes", () => closeCode(received()) !== undefined);
  assert.equal(closeCode(received()), 1008);
});

test("a WebSocket outlives a reload and is closed with 1001 when the gateway ends", async (t) => {
  const { base, gateway } = await startRawGateway(t, { route: allowed, answer: echo });
  const { socket, received } = await open(base);
  await gateway.reload();
  socket.write(frame("still there", true));
  await until("the bytes", () => received().includes("still there"));
  const closing = gateway.close();
  await until("the bytes", () => closeCode(received()) !== undefined);
  assert.equal(closeCode(received()), 1001);
  await closing;
});

test("a WebSocket without frames closes after its idle time", async (t) => {
  const { base } = await startRawGateway(t, {
    route: { operations: { socket: { websocket: { idleSeconds: 0.2 } } } },
    answer: echo,
  });
  const { received } = await open(base);
  await until("the bytes", () => closeCode(received()) !== undefined);
  assert.equal(closeCode(received()), 1001);
});

test("a WebSocket ends with 1008 when it has stood for as long as it may, however busy it is", async (t) => {
  const { base } = await startRawGateway(t, {
    route: { operations: { socket: { websocket: { maxSeconds: 0.5 } } } },
    answer: echo,
  });
  const { socket, received } = await open(base);
  await until("the close", () => {
    if (!socket.destroyed) socket.write(frame("hi", true));
    return closeCode(received()) !== undefined;
  });
  assert.equal(closeCode(received()), 1008);
});

test("a WebSocket ends with 1008 when the token of its caller expires", async (t) => {
  const secret = "a secret of more than thirty-two bytes";
  const { base } = await startRawGateway(t, {
    route: { ...allowed, plugins: [{ jwt: { secret, algorithms: ["HS256"], leewaySeconds: 0 } }] },
    answer: echo,
  });
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const openFor = async (seconds: number) => {
    const exp = Math.ceil(Date.now() / 1000) + seconds;
    const claims = `${encode({ alg: "HS256", typ: "JWT" })}.${encode({ sub: "ann", exp })}`;
    const signature = createHmac("sha256", secret).update(claims).digest("base64url");
    return { exp, ...(await open(base, `Authorization: Bearer ${claims}.${signature}\r\n`)) };
  };
  // A slow machine may need longer for the handshake than the token lives.
  let opened = await openFor(1);
  for (let seconds = 2; opened.status() !== 101 && seconds < 16; seconds *= 2) opened = await openFor(seconds);
  const { exp, received, status } = opened;
  assert.equal(status(), 101);
  await until("the close", () => closeCode(received()) !== undefined);
  assert.equal(closeCode(received()), 1008);
  assert.ok(Date.now() >= exp * 1000 - 50, "closed before the token expired");
});

test("a message in more pieces than it may be long closes with 1009", async (t) => {
  const { base } = await startRawGateway(t, {
    route: { operations: { socket: { websocket: { maxMessageBytes: 1_000 } } } },
    answer: echo,
  });
  const { socket, received } = await open(base);
  const piece = (opcode: number): Buffer =>
    Buffer.concat([Buffer.from([opcode, 0x80 | 100, 0, 0, 0, 0]), Buffer.alloc(100)]);
  socket.write(Buffer.concat([piece(1), ...Array.from({ length: 20 }, () => piece(0))]));
  await until("the close", () => closeCode(received()) !== undefined);
  assert.equal(closeCode(received()), 1009);
});

test("a WebSocket whose one side is gone leaves nothing open on the other", async (t) => {
  let side: Socket | undefined;
  const { base, upstream } = await startRawGateway(t, {
    route: allowed,
    answer: (request, socket) => {
      side = socket;
      echo(request, socket);
    },
  });
  const first = await open(base);
  first.socket.destroy();
  await until("the upstream is let go", () => upstream.connections.open === 0);
  const second = await open(base);
  side?.destroy();
  await until("the client is let go", () => second.socket.readableEnded || second.socket.destroyed);
});

test("whoever does not read stops the other side, and misses nothing once it reads", async (t) => {
  let side: Socket | undefined;
  const { base } = await startRawGateway(t, {
    route: allowed,
    answer: (_request, socket) => {
      side = socket;
      socket.removeAllListeners("data");
      socket.write(SWITCH);
    },
  });
  const { socket } = await open(base);
  t.after(() => socket.destroy());
  const upstream = side as Socket;
  const piece = Buffer.alloc(60_000, "x");
  const framed = (isMasked: boolean): Buffer => {
    const head = Buffer.from([0x82, (isMasked ? 0x80 : 0) | 126, 0, 0, ...(isMasked ? [0, 0, 0, 0] : [])]);
    head.writeUInt16BE(piece.length, 2);
    return Buffer.concat([head, piece]);
  };
  for (const [from, to, frame] of [
    [upstream, socket, framed(false)],
    [socket, upstream, framed(true)],
  ] as const) {
    let arrived = 0;
    let sent = 0;
    to.removeAllListeners("data");
    to.on("data", (chunk: Buffer) => {
      arrived += chunk.length;
    });
    to.pause();
    // Until what stands between them is full, whatever the kernel takes.
    await until("it is stopped", () => {
      for (let i = 0; i < 100 && from.writableLength < 4_000_000; i++, sent += frame.length) from.write(frame);
      return from.writableLength >= 4_000_000;
    });
    to.resume();
    await until("all of it", () => arrived === sent);
  }
});
