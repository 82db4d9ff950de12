import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { constants, createSecureServer, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { startCachedService } from "../support/cached-service.ts";
import { createAuthority, missingOpenssl } from "../support/certificates.ts";
import { eventually } from "../support/eventually.ts";

const skip = missingOpenssl() ?? false;

const WAYS: [string, (stream: ServerHttp2Stream) => void, boolean][] = [
  ["a reset", (stream) => stream.close(constants.NGHTTP2_INTERNAL_ERROR), true],
  ["a cancel", (stream) => stream.close(constants.NGHTTP2_CANCEL), true],
  ["the end of its connection", (stream) => stream.session?.destroy(), false],
];
const SIZES = [
  ["small, told length", 400, 900, true],
  ["small, length not told", 400, 900, false],
  ["large, told length", 200_000, 500_000, true],
  ["large, length not told", 200_000, 500_000, false],
] as const;

// Node's server ends a stream before it resets it: without a length, that is a whole answer. Resets of streams that have not
// ended are in test/forwarding/http2/cut-off.test.ts.
for (const [how, breakOff, saysEnd] of WAYS) {
  test(`an answer over HTTP/2 that breaks off by ${how} is stored nowhere`, { skip }, async (t) => {
    const authority = createAuthority();
    const folder = mkdtempSync(join(tmpdir(), "portico-broken-h2-"));
    t.after(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, "ca.pem"), authority.ca);
    const broken = new Set<string>();
    const server = createSecureServer(authority.issue("h2", "IP:127.0.0.1"));
    server.on("sessionError", () => {});
    server.on("stream", (stream, headers) => {
      stream.on("error", () => {});
      const path = String(headers[":path"]);
      const [, sent, all, hasLength] = SIZES[Number(path.at(-1))] as (typeof SIZES)[number];
      const fields = { ":status": 200, "cache-control": "max-age=60", ...(hasLength ? { "content-length": all } : {}) };
      stream.respond(fields);
      if (broken.has(path)) stream.end("w".repeat(all));
      else stream.write("b".repeat(sent), () => breakOff(stream));
      broken.add(path);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    t.after(() => server.close());
    const { port } = server.address() as AddressInfo;
    const service = await startCachedService(
      t,
      () => {},
      {},
      {},
      {
        upstream: { targets: [{ url: `https://127.0.0.1:${port}` }] },
        upstreamTls: { ca: join(folder, "ca.pem") },
        upstreamHttp2: true,
        // A handshake on a busy machine takes its time.
        timeouts: { connectMs: 20_000 },
      },
    );
    for (const [i, [what, , all, isTold]] of SIZES.entries()) {
      if (saysEnd && !isTold) continue;
      const path = `/orders?page=${i}`;
      const first = await service.get(path).catch(() => undefined);
      assert.notEqual(first?.status, 200, what);
      await eventually(`${what}: the whole is stored`, async () => {
        const got = await service.get(path).catch(() => undefined);
        if (got?.status !== 200) return false;
        assert.equal(got.text, "w".repeat(all), what);
        return got.cache.startsWith("Portico; hit");
      });
    }
  });
}
