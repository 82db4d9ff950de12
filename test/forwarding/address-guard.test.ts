import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { request } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { channels } from "../../src/core/channels.ts";
import { startBalancedGateway } from "../support/balanced-gateway.ts";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/registry.ts";

/** How a request, a WebSocket's handshake and a hedged request look to the client when no instance may be connected to. */
async function statusOf(url: string, headers: Record<string, string> = {}): Promise<number | undefined> {
  const asked = request(url, { headers, agent: false }).end();
  const [response] = await once(asked, "response");
  response.resume();
  return response.statusCode;
}
const HANDSHAKE = {
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
};

for (const host of ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"]) {
  test(`no connection of any kind is made to an instance at ${host} where its network is denied`, async (t) => {
    let connections = 0;
    const server = createServer((socket) => {
      connections++;
      socket.destroy();
    }).listen(0, "127.0.0.1");
    t.after(() => server.close());
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const path = join(await temporaryFolder(t), "services.json");
    await writeFile(path, JSON.stringify({ things: [`http://${host}:${port}`, `http://${host}:${port}/again`] }));
    const reasons: string[] = [];
    const note = (message: unknown): void => void reasons.push((message as { reason: string }).reason);
    channels.instanceHealth.subscribe(note);
    t.after(() => channels.instanceHealth.unsubscribe(note));
    const { url } = await startBalancedGateway(
      t,
      {
        upstream: {
          service: "things",
          from: "file",
          health: { active: { path: "/health", intervalMs: 20, unhealthyAfter: 2 } },
        },
        hedge: { afterMs: 1 },
        operations: { listThings: { websocket: true } },
      },
      { discovery: { file: { path }, addresses: { deny: ["127.0.0.0/8", "::1/128"] } } },
    );
    assert.equal(await statusOf(`${url}/things/1`), 502);
    assert.equal(await statusOf(`${url}/things`, HANDSHAKE), 502);
    await eventually("a check has failed", () => reasons.includes("its check fails"));
    assert.equal(await statusOf(`${url}/things/1`), 502);
    assert.equal(connections, 0);
  });
}
