import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { createGateway } from "../../src/index.ts";
import { folderWith, portico } from "../support/cli.ts";

const spec = JSON.stringify({
  openapi: "3.1.0",
  info: { title: "Pets", version: "1" },
  paths: {
    "/pets": { get: { operationId: "findPets", security: [{ key: [] }], responses: { 200: { description: "ok" } } } },
    "/cats": { get: { operationId: "findCats", security: [{ key: [] }], responses: { 200: { description: "ok" } } } },
  },
  components: { securitySchemes: { key: { type: "apiKey", in: "header", name: "X-Key" } } },
});
/** Says its name in the answer, so that it can be seen to run, and in which order. */
const plugin = (name: string): string => `import { definePlugin, Type } from "portico/plugin";
export default definePlugin({
  name: "${name}",
  phase: "limit",
  options: Type.Object({}),
  setup: () => async (exchange, next) => {
    const response = await next(exchange);
    response.headers.append("X-Ran", "${name}");
    return response;
  },
});
`;
const NAMES = ["of-gateway", "of-route", "of-operation", "of-consumer"];

const files = {
  "portico.yaml": "listen: { port: 0 }\nplugins: [of-gateway]\nconsumers: { ada: { plugins: [of-consumer] } }\n",
  "pets.json": spec,
  "routes/pets.yaml": `openapi: ../pets.json
prefix: /petstore
mock: true
plugins: [of-route]
security: { key: { api-key: { keys: { key-of-ada: ada, key-of-bob: bob } } } }
operations: { findPets: { plugins: [of-operation] } }
`,
  ...Object.fromEntries(NAMES.map((name) => [`plugins/${name}.ts`, plugin(name)])),
};

test("plugins of gateway, route, operation, security scheme and consumer run where they are attached", async (t) => {
  const folder = await folderWith(t, files);
  const gateway = await createGateway({ file: join(folder, "portico.yaml") });
  const url = await gateway.listen();
  t.after(() => gateway.close());
  const ran = async (path: string, key: string): Promise<string[]> => {
    const response = await fetch(`${url}/petstore${path}`, { headers: { "X-Key": key } });
    await response.arrayBuffer();
    return response.status === 200 ? (response.headers.get("x-ran") ?? "").split(", ") : [String(response.status)];
  };
  assert.deepEqual(await ran("/pets", "key-of-bob"), ["of-operation", "of-route", "of-gateway"], "innermost first");
  assert.deepEqual(await ran("/cats", "key-of-bob"), ["of-route", "of-gateway"]);
  assert.deepEqual(await ran("/cats", "key-of-ada"), ["of-route", "of-gateway", "of-consumer"]);
  assert.deepEqual(await ran("/cats", "key-of-eve"), ["401"], "the plugin of the security scheme");
});

test("explain prints them in the order in which they run", async (t) => {
  const folder = await folderWith(t, files);
  const explain = async (path: string): Promise<string[]> => {
    const { code, stdout, stderr } = await portico("explain", "GET", path, "--config", join(folder, "portico.yaml"))
      .finished;
    assert.equal(code, 0, stderr);
    return [...stdout.matchAll(/^ {4}\S+ +(api-key|consumer-plugins|of-\w+)$/gm)].map(([, name]) => String(name));
  };
  const shared = ["api-key", "consumer-plugins", "of-gateway", "of-route"];
  assert.deepEqual(await explain("/petstore/pets"), [...shared, "of-operation"]);
  assert.deepEqual(await explain("/petstore/cats"), shared);
});
