import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";
import type { LimitOptions } from "../../src/config/listen-options.ts";
import { certify } from "../support/certificate-files.ts";
import { eventually } from "../support/eventually.ts";
import {
  FLAG,
  type FrameClient,
  field,
  frame,
  indexed,
  openFrames,
  section,
  setting,
  TYPE,
  uint32,
} from "../support/http2-frames.ts";
import type { RawUpstream } from "../support/raw.ts";
import { type RawSetup, startRawGateway } from "../support/raw-gateway.ts";

// ATTACKS 46 and 12: written frame by frame, as no library would send them.

const folder = mkdtempSync(join(tmpdir(), "portico-http2-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const tls = certify(folder, "main.test");

const start = (t: TestContext, limits: LimitOptions = {}, answer?: RawUpstream["answer"]): Promise<RawSetup> =>
  startRawGateway(t, { options: { listen: { tls, http2: true }, limits }, ...(answer && { answer }) });

const GET = FLAG.endHeaders | FLAG.endStream;
const CALM = 11;

/** Sends until the server ends the connection, a bounded number of times. @returns how often it was sent */
async function flood(client: FrameClient, most: number, toSend: (i: number) => Buffer): Promise<number> {
  for (let i = 0; i < most; i++) {
    if (client.isClosed()) return i;
    await client.send(toSend(i));
  }
  await eventually("the end of the connection", client.isClosed);
  return most;
}

/** Another client is served while and after one attacks. */
async function assertServes(t: TestContext, base: string): Promise<void> {
  const client = await openFrames(t, base);
  await client.send(frame(TYPE.headers, GET, 1, section({})));
  assert.deepEqual(await client.outcome(1), { status: 200 });
}

test("a client of single frames is answered", (t) => start(t).then(({ base }) => assertServes(t, base)));

test("a client that opens streams only to reset them is sent away, and others are not troubled", async (t) => {
  const { base } = await start(t);
  const client = await openFrames(t, base);
  const cancel = (stream: number): Buffer => frame(TYPE.rstStream, FLAG.none, stream, uint32(8));
  await flood(client, 300, (i) => Buffer.concat([frame(TYPE.headers, GET, 2 * i + 1, section({})), cancel(2 * i + 1)]));
  assert.equal((await client.received(TYPE.goaway)).payload.readUInt32BE(4), CALM);
  await assertServes(t, base);
});

for (const [what, toSend] of [
  ["PING", () => frame(TYPE.ping, FLAG.none, 0, Buffer.alloc(8))],
  ["SETTINGS", () => frame(TYPE.settings, FLAG.none, 0, setting(4, 65_535))],
] as const) {
  test(`a flood of ${what} ends its session, and nobody else's`, async (t) => {
    const { base } = await start(t);
    const client = await openFrames(t, base);
    await flood(client, 2_000, toSend);
    await assertServes(t, base);
  });
}

test("a header section that goes on in CONTINUATION for ever is cut off", async (t) => {
  const { base } = await start(t);
  const client = await openFrames(t, base);
  await client.send(frame(TYPE.headers, FLAG.endStream, 1, section({})));
  const sent = await flood(client, 2_000, (i) =>
    frame(TYPE.continuation, FLAG.none, 1, field(`x-${i}`, "a".repeat(100))),
  );
  assert.ok(sent < 2_000, "all of it was taken");
  await assertServes(t, base);
});

test("empty CONTINUATION frames are cut off, too", async (t) => {
  const { base } = await start(t);
  const client = await openFrames(t, base);
  await client.send(frame(TYPE.headers, FLAG.endStream, 1, section({})));
  const sent = await flood(client, 5_000, () => frame(TYPE.continuation, FLAG.none, 1));
  assert.ok(sent < 5_000, "all of them were taken");
  await assertServes(t, base);
});

test("one byte that stands for 4,000 is not unpacked a thousand times", async (t) => {
  const { base, upstream } = await start(t);
  const client = await openFrames(t, base);
  const bomb = Buffer.concat([
    section({}),
    field("x-bomb", "a".repeat(3_900), true),
    ...Array(4_000).fill(indexed(62)),
  ]);
  await client.send(frame(TYPE.headers, GET, 1, bomb));
  const { status, refused } = await client.outcome(1);
  assert.ok(refused !== undefined || status === 431, `answered ${status}`);
  assert.equal(upstream.requests.length, 0);
  await assertServes(t, base);
});

test("a client that lets its answers wait behind a window of 0 is sent away", async (t) => {
  const body = "x".repeat(300_000);
  const { base } = await start(t, { bodyIdleSeconds: 0.5 }, (_request, socket) =>
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`),
  );
  const client = await openFrames(t, base, setting(4, 0));
  for (let i = 0; i < 20; i++) await client.send(frame(TYPE.headers, GET, 2 * i + 1, section({})));
  assert.deepEqual(await client.outcome(1), { status: 200 });
  await eventually("the end of the connection", client.isClosed);
  assert.equal((await client.received(TYPE.goaway)).payload.readUInt32BE(4), CALM);
});

test("a client that never sends the body that it began is sent away", async (t) => {
  const { base } = await start(t, { bodyIdleSeconds: 0.5 });
  const client = await openFrames(t, base);
  await client.send(frame(TYPE.headers, FLAG.endHeaders, 1, section({ ":method": "POST" })));
  await client.send(frame(TYPE.data, FLAG.none, 1, Buffer.from("x")));
  await eventually("the end of the connection", client.isClosed);
});

test("a session that waits for its upstream is not taken for one that stalls", async (t) => {
  let answer = (): void => {};
  const { base, upstream } = await start(t, { bodyIdleSeconds: 0.1 }, (_request, socket) => {
    answer = () => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  });
  const client = await openFrames(t, base);
  await client.send(frame(TYPE.headers, GET, 1, section({})));
  await eventually("the request", () => upstream.requests.length === 1);
  // One that does stall, and began later: once it is gone, the other has been looked at.
  const stalling = await openFrames(t, base);
  await stalling.send(frame(TYPE.headers, FLAG.endHeaders, 1, section({ ":method": "POST" })));
  await eventually("the end of the one that stalls", stalling.isClosed);
  assert.ok(!client.isClosed());
  answer();
  assert.deepEqual(await client.outcome(1), { status: 200 });
});

const LENGTH = ["content-length", "5"] as const;
/** nghttp2 drops a single field that no field can be; the request goes on without it. */
const DROPPED = /in a value$|in a name$/;
const DOWNGRADES: [string, Buffer, Buffer?][] = [
  ["CR and LF in :path", section({ ":path": "/a HTTP/1.1\r\nHost: b\r\n\r\nGET /hidden" })],
  ["a space in :path", section({ ":path": "/a HTTP/1.1" })],
  ["CR and LF in a value", section({}, [["evil", "a\r\nTransfer-Encoding: chunked"]])],
  ["LF in a value", section({}, [["evil", "a\nb"]])],
  ["NUL in a value", section({}, [["evil", "a\0b"]])],
  ["CR and LF in a name", section({}, [["evil: a\r\ny", "b"]])],
  ["a colon in a name", section({}, [["evil:y", "b"]])],
  ["capitals in a name", section({}, [["Evil", "b"]])],
  ["CR and LF in :method", section({ ":method": "GET / HTTP/1.1\r\nX: y" })],
  ["CR and LF in :authority", section({ ":authority": "a\r\nX: y" })],
  ["another :scheme with a path in it", section({ ":scheme": "http://b/hidden?" })],
  ["transfer-encoding", section({ ":method": "POST" }, [["transfer-encoding", "chunked"]]), Buffer.from("0\r\n\r\n")],
  ["connection", section({}, [["connection", "x-user"]])],
  ["upgrade", section({}, [["upgrade", "h2c"]])],
  ["te other than trailers", section({}, [["te", "gzip"]])],
  ["another host than :authority", section({}, [["host", "b"]])],
  ["no :authority and no host", section({ ":authority": undefined })],
  ["no :path", section({ ":path": undefined })],
  ["an empty :path", section({ ":path": "" })],
  ["a :path that is no path", section({ ":path": "a" })],
  [
    "a pseudo-field after a field",
    section({ ":path": undefined }, [
      ["x", "y"],
      [":path", "/a"],
    ]),
  ],
  ["a pseudo-field twice", section({}, [[":path", "/b"]])],
  ["a pseudo-field that nobody knows", section({}, [[":x", "y"]])],
  ["two lengths", section({ ":method": "POST" }, [LENGTH, ["content-length", "6"]]), Buffer.from("hello")],
  ["a length above the body's", section({ ":method": "POST" }, [["content-length", "6"]]), Buffer.from("hello")],
  ["a length below the body's", section({ ":method": "POST" }, [["content-length", "4"]]), Buffer.from("hello")],
  ["a length that is no number", section({ ":method": "POST" }, [["content-length", "5, 5"]]), Buffer.from("hello")],
];

test("what HTTP/2 must not carry into HTTP/1 is refused, and reaches no upstream as it came", async (t) => {
  const { base, upstream } = await start(t);
  for (const [what, head, body] of DOWNGRADES) {
    const client = await openFrames(t, base);
    await client.send(frame(TYPE.headers, FLAG.endHeaders | (body === undefined ? FLAG.endStream : 0), 1, head));
    if (body !== undefined) await client.send(frame(TYPE.data, FLAG.endStream, 1, body));
    const { status, refused } = await client.outcome(1);
    const isRefused = refused !== undefined || (status !== undefined && status >= 400 && status < 500);
    assert.ok(isRefused || DROPPED.test(what), `${what}: ${status}`);
    client.socket.destroy();
  }
  for (const request of upstream.requests) {
    assert.doesNotMatch(request, /hidden|evil|Transfer-Encoding: chunked\r\n\r\n$/i);
  }
  await assertServes(t, base);
});
