import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { call, eventually, idsOf, temporaryFolder } from "../support/registry.ts";
import { startProcess } from "../support/service-process.ts";

const main = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

test("kill -9 at any moment loses no acknowledged registration, and brings none back that was taken out", async (t) => {
  const data = await temporaryFolder(t);
  const acknowledged = new Set<string>();
  const removed = new Set<string>();
  let lastIndex = 0;
  for (let round = 0; round < 3; round++) {
    const { process: child, url } = await startProcess(t, [main, "registry", "--port", "0", "--data", data]);
    const listed = await call("GET", `${url}/v1/services/pets`);
    const ids = idsOf(listed);
    for (const id of acknowledged) assert.ok(ids.includes(id), `${id} was acknowledged and is gone`);
    for (const id of removed) assert.ok(!ids.includes(id), `${id} was taken out and is back`);
    assert.ok(Number(listed.body.index) > lastIndex, "the index never goes back");

    let isDead = false;
    const write = async (writer: number): Promise<void> => {
      for (let i = 0; !isDead; i++) {
        const id = `${round}-${writer}-${i}`;
        const at = `${url}/v1/services/pets/instances/${id}`;
        const made = await call("PUT", at, { body: { url: "http://127.0.0.1:9000", ttlSeconds: 600 } });
        lastIndex = Math.max(lastIndex, Number(made.body.index));
        acknowledged.add(id);
        if (i % 5 !== 0) continue;
        acknowledged.delete(id);
        await call("DELETE", at);
        removed.add(id);
      }
    };
    const writers = [0, 1, 2, 3].map((writer) => write(writer).catch(() => {}));
    const wanted = acknowledged.size + 40 * (round + 1);
    await eventually(
      () => acknowledged.size,
      (size) => size >= wanted,
    );
    child.kill("SIGKILL");
    isDead = true;
    await once(child, "exit");
    await Promise.all(writers);
  }
});
