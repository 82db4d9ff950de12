import { spawnSync } from "node:child_process";
import type { TestContext } from "node:test";

/** A host of its own on this machine: an instance in it can be cut off as a pulled cable would. */
export interface NetworkNamespace {
  readonly name: string;
  readonly address: string;
  cutOff(): void;
}

const ip = (...words: string[]): boolean => spawnSync("ip", words, { stdio: "ignore" }).status === 0;

/** @returns undefined where the machine does not allow network namespaces */
export function createNetworkNamespace(t: TestContext): NetworkNamespace | undefined {
  const id = (process.pid % 65_536).toString(16);
  const name = `portico-${id}`;
  const [outside, inside] = [`pt${id}o`, `pt${id}i`];
  const subnet = `10.${200 + (process.pid % 50)}.${(process.pid >> 6) % 250}`;
  if (!ip("netns", "add", name)) return undefined;
  t.after(() => ip("netns", "del", name));
  const isBuilt =
    ip("link", "add", outside, "type", "veth", "peer", "name", inside, "netns", name) &&
    ip("addr", "add", `${subnet}.1/30`, "dev", outside) &&
    ip("link", "set", outside, "up") &&
    ip("-n", name, "addr", "add", `${subnet}.2/30`, "dev", inside) &&
    ip("-n", name, "link", "set", inside, "up") &&
    ip("-n", name, "link", "set", "lo", "up");
  t.after(() => ip("link", "del", outside));
  if (!isBuilt) return undefined;
  // Down on the far side: packets leave and nothing comes back, not even an error.
  return { name, address: `${subnet}.2`, cutOff: () => ip("-n", name, "link", "set", inside, "down") };
}
