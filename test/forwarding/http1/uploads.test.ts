import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { createServer, request } from "node:http";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createGateway } from "../../../src/gateway/gateway.ts";
import { folderWith } from "../../support/cli.ts";
import { listen } from "../../support/plugin-gateway.ts";
import { openDocument } from "../../support/raw-gateway.ts";

/** Looks at the chunks as they pass, and still has them when the answer is there. */
const PLUGIN = `
import { Transform } from "node:stream";
import { createHash } from "node:crypto";
export default {
  name: "keeper", phase: "transform", options: { type: "object", properties: {} },
  setup: () => async function keep(exchange, next) {
    const kept = [];
    const { body } = exchange.request;
    exchange.request.body = body.pipe(new Transform({ transform(chunk, _, done) { kept.push(chunk); done(null, chunk); } }));
    const response = await next(exchange);
    response.headers.set("x-seen", createHash("sha1").update(Buffer.concat(kept)).digest("hex"));
    return response;
  },
};`;

const BODY = randomBytes(3_000_000);
const DIGEST = createHash("sha1").update(BODY).digest("hex");

async function start(t: TestContext, plugins: string[]): Promise<string> {
  const service = createServer((incoming, outgoing) => {
    const hash = createHash("sha1");
    incoming.on("data", (chunk: Buffer) => hash.update(chunk));
    incoming.on("end", () => outgoing.end(hash.digest("hex")));
  });
  const target = await listen(service);
  const folder = await folderWith(t, {
    "open.json": JSON.stringify(openDocument),
    "plugins/keeper.mjs": PLUGIN,
  });
  const gateway = await createGateway({
    folder,
    port: 0,
    options: { limits: { bodyBytes: "8MiB" } },
    routes: [
      {
        openapi: "open.json",
        upstream: { targets: [{ url: target }] },
        plugins: plugins.map((name) => join(folder, "plugins", `${name}.mjs`)),
      },
    ],
  });
  t.after(async () => {
    gateway.server.closeAllConnections();
    await gateway.close();
    service.closeAllConnections();
    service.close();
  });
  return gateway.listen();
}

const upload = (base: string, body: Buffer, headers: Record<string, string | number>): Promise<[string, unknown]> =>
  new Promise((resolve, reject) => {
    const asking = request(`${base}/a`, { method: "POST", headers, agent: false }, async (response) => {
      let text = "";
      for await (const chunk of response) text += String(chunk);
      resolve([text, response.headers["x-seen"]]);
    });
    asking.on("error", reject);
    asking.end(body);
  });

for (const [what, headers] of [
  ["of known length", { "Content-Length": BODY.length }],
  ["in chunks", { "Transfer-Encoding": "chunked" }],
] as const) {
  test(`a large body ${what} arrives as it was sent`, async (t) => {
    assert.deepEqual(await upload(await start(t, []), BODY, headers), [DIGEST, undefined]);
  });

  test(`a large body ${what} stays with a plugin that keeps its chunks`, async (t) => {
    assert.deepEqual(await upload(await start(t, ["keeper"]), BODY, headers), [DIGEST, DIGEST]);
  });
}

test("bodies on both sides of what is held whole arrive as they were sent", async (t) => {
  const base = await start(t, []);
  for (const length of [1, 16_384, 16_385, 65_535, 65_536, 65_537, 200_000]) {
    const body = BODY.subarray(0, length);
    const digest = createHash("sha1").update(body).digest("hex");
    assert.deepEqual(await upload(base, body, { "Content-Length": length }), [digest, undefined], `${length} bytes`);
  }
});
