import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { test } from "node:test";
import { ClientResets } from "../../src/gateway/reset-clients.ts";

const spin = (ms: number): void => {
  const endsAtMs = performance.now() + ms;
  while (performance.now() < endsAtMs);
};

test("clients whose reset takes long are reset one in a turn, and everything else goes on between them", async () => {
  const seen: string[] = [];
  const resets = new ClientResets();
  let left = 20;
  const done = new Promise<void>((resolve) => {
    const other = (): void => {
      seen.push("other");
      if (left > 0) setImmediate(other);
      else resolve();
    };
    setImmediate(other);
  });
  for (let i = 0; i < 20; i++) {
    const slow = {
      resetAndDestroy() {
        spin(3);
        seen.push("reset");
        left--;
      },
    };
    resets.add(slow as unknown as Socket);
  }
  await done;
  assert.equal(seen.filter((what) => what === "reset").length, 20);
  assert.doesNotMatch(seen.join(" "), /reset reset/);
});
