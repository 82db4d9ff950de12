import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { test } from "node:test";
import { converse } from "../support/converse.ts";
import { startPluginGateway } from "../support/plugin-gateway.ts";

test("the service is asked for the rewritten path, query and method", async (t) => {
  const { url, seen } = await startPluginGateway(t, undefined, {
    route: {
      prefix: "/api",
      operations: {
        getThing: {
          plugins: [
            {
              rewrite: {
                path: "/v2/objects/${params.id}",
                query: { remove: ["debug"], rename: { q: "search" }, set: { tenant: "${headers.x-tenant}" } },
                method: "REPORT",
              },
            },
          ],
        },
      },
    },
  });
  await fetch(`${url}/api/things/a%2Fb?debug=1&q=x%20y&keep`, { headers: { "x-tenant": "t&u" } });
  assert.deepEqual(seen, ["REPORT /v2/objects/a%2Fb?search=x%20y&keep&tenant=t%26u"]);
});

test("a parameter cannot climb out of the path it stands in", async (t) => {
  const { url, seen } = await startPluginGateway(t, [{ rewrite: { path: "/public/${query.file}" } }]);
  assert.equal((await fetch(`${url}/things?file=..`)).status, 400);
  assert.equal((await fetch(`${url}/things?file=../admin`)).status, 200);
  assert.deepEqual(seen, ["GET /public/..%2Fadmin?file=../admin"]);
});

test("a redirect sends the caller on with its query", async (t) => {
  const { url, seen } = await startPluginGateway(t, undefined, {
    route: { operations: { getThing: { plugins: [{ redirect: { to: "/v2/things/${params.id}", status: 308 } }] } } },
  });
  const answer = await fetch(`${url}/things/7?a=1`, { redirect: "manual" });
  assert.equal(answer.status, 308);
  assert.equal(answer.headers.get("location"), "/v2/things/7?a=1");
  assert.deepEqual(seen, []);
});

test("a redirect to a place that the request chooses is refused at start", async (t) => {
  for (const to of ["https://${query.host}/", "//evil.test", "${query.to}"]) {
    await assert.rejects(startPluginGateway(t, [{ redirect: { to } }]), /not a place to go/);
  }
});

test("an answer can be written in the configuration", async (t) => {
  const { url, seen } = await startPluginGateway(t, [
    {
      respond: {
        status: 503,
        headers: { "Retry-After": "60", "X-Op": "${operation.id}" },
        body: { message: "closed" },
      },
    },
  ]);
  const answer = await fetch(`${url}/things`);
  assert.equal(answer.status, 503);
  assert.equal(answer.headers.get("x-op"), "listThings");
  assert.deepEqual(await answer.json(), { message: "closed" });
  assert.deepEqual(seen, []);
});

test("HEAD that is asked of the service by another method has no body, and the connection's next answer is whole", async (t) => {
  const plugins = [{ rewrite: { method: "GET" } }];
  for (const service of [
    (_: unknown, response: ServerResponse) => response.end("short"),
    (_: unknown, response: ServerResponse) => response.write("in parts", () => response.end(" and more")),
  ]) {
    const { url } = await startPluginGateway(t, plugins, { service, route: { cache: { mode: "off" } } });
    const head = "HEAD /things HTTP/1.1\r\nHost: a\r\n\r\n";
    const text = await converse(url, `${head}${head}GET /things HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    assert.deepEqual(
      [text.match(/HTTP\/1\.1 200 OK\r\n/g)?.length, text.match(/short|in parts/g)?.length],
      [3, 1],
      text,
    );
  }
});
