import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { specGateway } from "../support/spec-gateway.ts";

const document = JSON.parse(readFileSync("node_modules/@octokit/openapi/generated/api.github.com.json", "utf8"));
const issues = "/repos/o/r/issues";
const json = { "content-type": "application/json" };

test("GitHub's description, which no strict compiler takes, validates the bodies it describes", async (t) => {
  const gateway = await specGateway(t, { document });
  const good = { title: "It fails", body: "Here.", labels: ["bug", { name: "x" }], milestone: 3 };
  const accepted = await gateway.send("POST", issues, { headers: json, body: JSON.stringify(good) });
  assert.equal(accepted.status, 200);
  assert.equal(String(gateway.received[0]?.body), JSON.stringify(good));
  const bad = { body: 5, labels: [7] };
  const refused = await gateway.send("POST", issues, { headers: json, body: JSON.stringify(bad) });
  assert.equal(refused.status, 400);
  const pointers = refused.json.violations.map(({ pointer }: { pointer: string }) => pointer);
  assert.ok(pointers.includes("/title") && pointers.includes("/body"), JSON.stringify(refused.json));
});

test("every request body of GitHub's description compiles or is evaluated, and none throws", async (t) => {
  const gateway = await specGateway(t, { document });
  const entries = Object.entries(document.paths as Record<string, Record<string, { requestBody?: object }>>);
  for (const [path, item] of entries) {
    for (const method of ["post", "put", "patch", "delete"]) {
      if (item[method]?.requestBody === undefined) continue;
      const url = path.replace(/\{[^}]*\}/g, "1");
      const { status } = await gateway.send(method.toUpperCase(), url, { headers: json, body: '{"portico":[1]}' });
      assert.ok(status < 500, `${method} ${path} answered ${status}`);
    }
  }
});
