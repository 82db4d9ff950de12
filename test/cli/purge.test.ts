import assert from "node:assert/strict";
import { test } from "node:test";
import { purge } from "../../src/cli/purge.ts";
import { folderWith, portico } from "../support/cli.ts";
import { type GatewayProcess, startGatewayProcesses, warm } from "../support/shared-cache.ts";

test("purge forgets by key, prefix, tag, operation and everything, and softly only marks as stale", async (t) => {
  const [gateway] = (await startGatewayProcesses(t, 1, () => ({}))) as [GatewayProcess];
  const status = async (path: string): Promise<string | undefined> =>
    /fwd=[a-z-]+|hit/.exec((await gateway.get(path)).cache)?.[0];
  for (const [words, path, wanted] of [
    [["--key", "/orders/1"], "/orders/1", "fwd=uri-miss"],
    [["--prefix", "/ord"], "/orders/2", "fwd=uri-miss"],
    [["--tag", "orders"], "/orders", "fwd=uri-miss"],
    [["--operation", "getOrder"], "/orders/3", "fwd=uri-miss"],
    [["--all"], "/orders/4", "fwd=uri-miss"],
    [["--key", "/orders/1", "--soft"], "/orders/1", "fwd=stale"],
    [["--tag", "orders", "--soft"], "/orders/5", "fwd=stale"],
    [["--key", "/orders/other"], "/orders/6", "hit"],
  ] as const) {
    await warm([gateway], path);
    assert.equal(await purge(["--config", gateway.config, ...words]), 0);
    assert.equal(await status(path), wanted, words.join(" "));
  }
});

test("purge as a command says what it did, what was refused, and that nobody answers", async (t) => {
  const [gateway] = (await startGatewayProcesses(t, 1, () => ({}))) as [GatewayProcess];
  const folder = await folderWith(t, {
    "wrong.yaml": JSON.stringify({ admin: { port: Number(new URL(gateway.admin).port), token: "wrong" } }),
  });
  const [done, unnamed, refused, alone] = await Promise.all([
    portico("purge", "--config", gateway.config, "--tag", "orders").finished,
    portico("purge", "--config", gateway.config).finished,
    portico("purge", "--config", `${folder}/wrong.yaml`, "--all").finished,
    portico("purge", "--config", gateway.config, "--url", "http://127.0.0.1:1", "--all").finished,
  ]);
  assert.deepEqual([done.code, JSON.parse(done.stdout)], [0, { purged: "tag", soft: false }]);
  assert.equal(unnamed.code, 1);
  assert.match(unnamed.stderr, /refused \(400\): send one of/);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /refused \(401\)/);
  assert.equal(alone.code, 1);
  assert.match(alone.stderr, /no admin API answers at http:\/\/127\.0\.0\.1:1/);
});
