import assert from "node:assert/strict";
import { createServer } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { folderWith, portico } from "../support/cli.ts";
import { listen } from "../support/plugin-gateway.ts";

const SPEC = `openapi: 3.1.0
info: { title: Pets, version: "1" }
paths: { /pets: { get: { operationId: findPets, responses: { default: { description: any } } } } }
`;

/** Goes wrong where no exchange waits for it, in each way that Node knows. */
const PLUGIN = `
import { EventEmitter } from "node:events";
const faults = {
  timer: () => setTimeout(() => { throw new Error("thrown in a timer"); }),
  rejection: () => void Promise.reject(new Error("rejected for nobody")),
  emitter: () => setImmediate(() => new EventEmitter().emit("error", new Error("emitted to nobody"))),
  tick: () => process.nextTick(() => { throw new TypeError("thrown in a tick"); }),
  odd: () => setTimeout(() => { throw null; }),
};
export default {
  name: "careless",
  phase: "transform",
  options: { type: "object", properties: {} },
  setup: () => async function careless(exchange, next) {
    faults[exchange.request.headers.get("x-fault")]?.();
    return next(exchange);
  },
};
`;

test("what a plugin throws where nobody waits ends neither the process nor a request", async (t) => {
  const service = createServer((_request, response) => response.end("ok"));
  const target = await listen(service);
  t.after(() => service.close());
  const folder = await folderWith(t, {
    "portico.yaml": "listen: { port: 0 }\n",
    "openapi/pets.yaml": SPEC,
    "plugins/careless.mjs": PLUGIN,
    "routes/pets.yaml": `openapi: ../openapi/pets.yaml\nupstream: { targets: [{ url: "${target}" }] }\nplugins: [../plugins/careless.mjs]\n`,
  });
  const run = portico("start", "--config", join(folder, "portico.yaml"));
  t.after(() => run.child.kill("SIGKILL"));
  const [, url] = await run.printed(/listening on (\S+)$/m);
  const told: [string, RegExp][] = [
    ["timer", /thrown in a timer/],
    ["rejection", /rejected for nobody/],
    ["emitter", /emitted to nobody/],
    ["tick", /thrown in a tick/],
    ["odd", /"err":null/],
  ];
  for (const [fault, message] of told) {
    const statuses = await Promise.all(
      Array.from({ length: 5 }, async (_, i) => {
        const response = await fetch(`${url}/pets`, { headers: i === 0 ? { "x-fault": fault } : {} });
        return response.status;
      }),
    );
    assert.deepEqual(statuses, [200, 200, 200, 200, 200], fault);
    await run.complained(message);
  }
  run.child.kill("SIGTERM");
  assert.equal((await run.finished).code, 0);
});
