import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";

/** Waits for a condition, or fails with what was expected. */
export async function until(isMet: () => boolean, expected: string, deadlineMs = 10_000): Promise<void> {
  const endMs = performance.now() + deadlineMs;
  while (!isMet()) {
    if (performance.now() > endMs) assert.fail(`not within ${deadlineMs} ms: ${expected}`);
    await delay(5);
  }
}
