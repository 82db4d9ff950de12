import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { startCachedService } from "../../support/cached-service.ts";
import { certify } from "../../support/certificate-files.ts";
import { missingOpenssl } from "../../support/certificates.ts";
import { FLAG, frame, openFrames, section, TYPE, uint32 } from "../../support/http2-frames.ts";
import { data, type FrameConnection, head, startFrameUpstream } from "../../support/http2-upstream.ts";
import { sendRaw } from "../../support/raw.ts";
import { startRawGateway } from "../../support/raw-gateway.ts";

const skip = missingOpenssl() ?? false;
const folder = mkdtempSync(join(tmpdir(), "portico-cut-off-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const GET = "GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
const reset = (code: number) => (connection: FrameConnection, stream: number) =>
  connection.send(frame(TYPE.rstStream, FLAG.none, stream, uint32(code)));
const goaway = (last: number, code: number): Buffer =>
  frame(TYPE.goaway, FLAG.none, 0, Buffer.concat([uint32(last), uint32(code)]));

const WAYS: [string, (connection: FrameConnection, stream: number) => void][] = [
  ["reset with NO_ERROR", reset(0)],
  ["reset with PROTOCOL_ERROR", reset(1)],
  ["reset with INTERNAL_ERROR", reset(2)],
  ["reset with REFUSED_STREAM", reset(7)],
  ["reset with CANCEL", reset(8)],
  ["reset with ENHANCE_YOUR_CALM", reset(11)],
  ["reset with HTTP_1_1_REQUIRED", reset(13)],
  ["reset with a code that nobody knows", reset(0xfe)],
  ["cut by the loss of its connection", ({ socket }) => socket.destroy()],
  ["cut by the end of its connection", ({ socket }) => socket.end()],
  [
    "cut by GOAWAY and the end of its connection",
    (connection, stream) => {
      connection.send(goaway(stream, 0));
      connection.socket.end();
    },
  ],
  ["cut by GOAWAY with an error", (connection, stream) => connection.send(goaway(stream, 2))],
];
const ANSWERS: [string, number, [string, string][]][] = [
  ["short, of told length", 400, [["content-length", "900"]]],
  ["short, of no told length", 400, []],
  ["long, of told length", 100_000, [["content-length", "300000"]]],
  ["long, of no told length", 100_000, []],
];
/** A body in frames that fit. */
const body = (stream: number, length: number): Buffer =>
  Buffer.concat(
    Array.from({ length: Math.ceil(length / 10_000) }, (_, i) =>
      data(stream, "b".repeat(Math.min(10_000, length - i * 10_000))),
    ),
  );

const FIELDS: [string, string][] = [["cache-control", "max-age=60"]];

for (const [how, cutOff] of WAYS) {
  test(`an answer that is ${how} is whole for nobody`, { skip }, async (t) => {
    let answer = ANSWERS[0] as (typeof ANSWERS)[number];
    const upstream = await startFrameUpstream(t, {
      onRequest: (connection, stream) => {
        connection.send(head(stream, [...answer[2], ...FIELDS]), body(stream, answer[1]));
        cutOff(connection, stream);
      },
    });
    const { base } = await startRawGateway(t, { route: upstream.route });
    const tls = certify(folder, "front.test");
    const secure = await startRawGateway(t, { options: { listen: { tls, http2: true } }, route: upstream.route });
    for (const each of ANSWERS) {
      const [what, length] = each;
      answer = each;
      const { text, statuses, isClosed } = await sendRaw(base, GET);
      if (statuses[0] === 200) {
        assert.ok(!text.endsWith("0\r\n\r\n") && text.length < length + 10_000, `over HTTP/1.1: ${what}`);
        // Where its head had not left yet, neither does.
      } else assert.ok(isClosed && (statuses.length === 0 || statuses[0] === 502), `over HTTP/1.1: ${what}`);
      const client = await openFrames(t, secure.base);
      await client.send(frame(TYPE.headers, FLAG.endHeaders | FLAG.endStream, 1, section({})));
      const { status } = await client.outcome(1);
      if (status !== undefined && status !== 200) continue;
      await client.received(TYPE.rstStream, 1);
      const ends = client.frames.filter(({ type, flags }) => type === TYPE.data && (flags & FLAG.endStream) !== 0);
      assert.deepEqual(ends, [], `over HTTP/2: ${what}`);
    }
  });

  test(`an answer that is ${how} is stored nowhere`, { skip }, async (t) => {
    let answer = ANSWERS[0] as (typeof ANSWERS)[number];
    const upstream = await startFrameUpstream(t, {
      onRequest: (connection, stream, nth) => {
        const [, length, pairs] = answer;
        connection.send(head(stream, [...pairs, ...FIELDS]), body(stream, length));
        if (nth % 2 === 0) cutOff(connection, stream);
        else connection.send(body(stream, wholeOf(answer) - length), data(stream, "", FLAG.endStream));
      },
    });
    const service = await startCachedService(t, () => {}, {}, {}, upstream.route);
    for (const [i, each] of ANSWERS.entries()) {
      const [what] = each;
      answer = each;
      const first = await service.get(`/orders?page=${i}`).catch(() => undefined);
      assert.notEqual(first?.status, 200, what);
      const second = await service.get(`/orders?page=${i}`);
      assert.deepEqual([second.status, second.text.length], [200, wholeOf(each)], what);
      assert.match(second.cache, /stored/, what);
    }
    assert.equal(upstream.requests.length, 2 * ANSWERS.length);
  });
}

const wholeOf = ([, length, pairs]: (typeof ANSWERS)[number]): number => Number(pairs[0]?.[1] ?? length);
