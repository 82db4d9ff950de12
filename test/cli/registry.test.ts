import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { folderWith, portico } from "../support/cli.ts";

async function takePort(t: TestContext): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

test("an embedded registry whose port is taken is a problem of the line that names it", async (t) => {
  const port = await takePort(t);
  const folder = await folderWith(t, {
    "portico.yaml": `listen: { port: 0 }\nregistry:\n  embedded:\n    port: ${port}\n    data: ./data\n`,
  });
  const { code, stderr } = await portico("start", "--config", join(folder, "portico.yaml")).finished;
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(`portico.yaml:4:\\d+ registry.embedded.port is ${port}; another program listens`));
  assert.doesNotMatch(stderr, /\n\s+at /);
});

const MISTAKES: [string, (port: number) => string[], RegExp][] = [
  ["a port that is taken", (port) => ["--port", String(port)], /^the registry cannot start: port \d+ is taken/],
  ["a port that is none", () => ["--port", "eighty"], /^the registry cannot start: --port is eighty; write a number/],
  ["a network that is none", () => ["--allow", "10.0.0.0/99"], /^the registry cannot start: 10.0.0.0\/99 is not a net/],
];
for (const [what, words, complaint] of MISTAKES) {
  test(`portico registry says what is wrong with ${what}, without a stack`, async (t) => {
    const data = join(await folderWith(t, {}), "data");
    const { code, stderr } = await portico("registry", "--data", data, ...words(await takePort(t))).finished;
    assert.equal(code, 1);
    assert.match(stderr, complaint);
    assert.doesNotMatch(stderr, /\n\s+at /);
  });
}
