// The public conformance suite of HTTP caches (https://github.com/http-tests/cache-tests) against Portico.
//
//   git clone https://github.com/http-tests/cache-tests
//   npm run build && CACHE_TESTS=/path/to/cache-tests node bench/cache-tests.mjs [test-id …]
//
// Its server is the upstream, its client asks the gateway. A pass counts only when every test it depends on passes
// too, as the suite's own results page counts. Needs its `undici` dependency for interim responses (npm i there).
// OPTIONS: a JSON object over the cache options of the route.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { createGateway } from "../dist/src/index.js";

const suite = process.env.CACHE_TESTS;
if (suite === undefined) throw new Error("set CACHE_TESTS to a checkout of http-tests/cache-tests");
const load = (file) => import(pathToFileURL(join(suite, file)).href);

const operation = (operationId) => ({ operationId, responses: { default: { description: "any" } } });
const paths = {};
for (const depth of [1, 2, 3, 4]) {
  const path = Array.from({ length: depth }, (_, i) => `/{p${i}}`).join("");
  const parameters = Array.from({ length: depth }, (_, i) => ({
    name: `p${i}`,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
  paths[path] = {
    parameters,
    get: operation(`get${depth}`),
    head: operation(`head${depth}`),
    post: operation(`post${depth}`),
    put: operation(`put${depth}`),
    delete: operation(`delete${depth}`),
    additionalOperations: { "M-SEARCH": operation(`search${depth}`) },
  };
}
const document = { openapi: "3.2.0", info: { title: "cache-tests", version: "1" }, paths };

const probe = createServer().listen(0, "127.0.0.1");
await once(probe, "listening");
const { port } = probe.address();
probe.close();
const folder = mkdtempSync(join(tmpdir(), "portico-cache-tests-"));
writeFileSync(join(folder, "suite.json"), JSON.stringify(document));
const server = spawn(process.execPath, ["test-engine/server/server.mjs"], {
  cwd: suite,
  env: {
    ...process.env,
    npm_config_protocol: "http",
    npm_config_port: String(port),
    npm_config_pidfile: join(folder, "pid"),
  },
  stdio: ["ignore", "pipe", "inherit"],
});
await once(server.stdout, "data");
server.stdout.resume();
const gateway = await createGateway({
  options: {},
  routes: [
    {
      openapi: "suite.json",
      upstream: { targets: [{ url: `http://localhost:${port}` }] },
      validate: { request: "off", response: "off" },
      retries: { attempts: 0 },
      cache: { mode: "standard", heuristic: true, ...JSON.parse(process.env.OPTIONS ?? "{}") },
    },
  ],
  folder,
  port: 0,
});
const url = await gateway.listen();

const { default: tests } = await load("tests/index.mjs");
const { runTests, getResults } = await load("test-engine/client/runner.mjs");
const { determineTestResult } = await load("test-engine/lib/results.mjs");
const wanted = process.argv.slice(2);
const chosen =
  wanted.length === 0 ? tests : tests.map((s) => ({ ...s, tests: s.tests.filter((t) => wanted.includes(t.id)) }));
if (wanted.length > 0) for (const { tests: some } of chosen) for (const test of some) test.dump = true;
const complain = console.error;
console.error = () => {};
await runTests(chosen, false, url);
console.error = complain;
const results = getResults();
const score = { required: [0, 0], optimal: [0, 0], check: [0, 0] };
for (const { tests: some } of chosen) {
  for (const test of some) {
    if (test.browser_only === true) continue;
    const kind = test.kind ?? "required";
    const passed = ["✅", "Y"].includes(determineTestResult(tests, test.id, results)[2]);
    score[kind][1]++;
    if (passed) score[kind][0]++;
    else if (kind !== "check") console.log(`${kind} ${test.id}: ${JSON.stringify(results[test.id])}`);
  }
}
console.log(JSON.stringify(score));
await gateway.close();
server.kill();
rmSync(folder, { recursive: true });
process.exit(0);
