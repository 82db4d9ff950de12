import assert from "node:assert/strict";
import { Agent, get } from "node:http";
import { type TestContext, test } from "node:test";
import type { RunningRegistry } from "../../src/registry/start.ts";
import { eventually } from "../support/eventually.ts";
import { call, startTestRegistry } from "../support/registry.ts";

const COUNT = 3_000;
const WATCHERS = 500;
const SOMEBODY = { owner: undefined, isOperator: false };

/** Registered without HTTP: thousands of requests are not what is tried here. */
async function registerMany(registry: RunningRegistry["registry"], service: string, ttlSeconds = 60): Promise<void> {
  for (let i = 0; i < COUNT; i++) {
    const url = `http://127.0.${i >> 8}.${i & 255 || 255}:4000`;
    await registry.register({ service, id: `i${i}` }, { url, ttlSeconds, metadata: { note: `<${i}>` } }, SOMEBODY);
  }
}

/** What an open request has been answered so far. */
function listen(t: TestContext, url: string, headers: Record<string, string> = {}): { text: string; isOver: boolean } {
  const heard = { text: "", isOver: false };
  const agent = new Agent({ keepAlive: false });
  const request = get(url, { headers, agent }, (response) => {
    response.setEncoding("utf8");
    response.on("data", (chunk: string) => {
      heard.text += chunk;
    });
    response.on("end", () => {
      heard.isOver = true;
    });
    response.on("error", () => {});
  });
  request.on("error", () => {});
  t.after(() => request.destroy());
  return heard;
}

test("each of many event streams is told of a change, and none of those that have gone is kept", async (t) => {
  const { url, registry } = await startTestRegistry(t);
  const heard = Array.from({ length: WATCHERS }, () =>
    listen(t, `${url}/v1/services/pets`, { accept: "text/event-stream" }),
  );
  await eventually("all stand", () => heard.every(({ text }) => text.includes("event: synced")));
  await registry.register({ service: "pets", id: "a" }, { url: "http://127.0.0.1:1" }, SOMEBODY);
  await registry.deregister({ service: "pets", id: "a" }, SOMEBODY);
  await eventually("all are told", () =>
    heard.every(({ text }) => /event: put[\s\S]*"id":"a"[\s\S]*event: delete/.test(text)),
  );
  assert.equal(new Set(heard.map(({ text }) => text.slice(text.indexOf("event: put")))).size, 1);
});

test("each of many long polls of a long list gets the whole of it, as it stands after the change", async (t) => {
  const { url, registry } = await startTestRegistry(t);
  await registerMany(registry, "pets");
  const { index } = (await call("GET", `${url}/v1/services/pets`)).body;
  const heard = Array.from({ length: 50 }, () => listen(t, `${url}/v1/services/pets?index=${index}&wait=60s`));
  await registry.setStatus({ service: "pets", id: "i7" }, "draining", SOMEBODY);
  await eventually("all are answered", () => heard.every(({ isOver }) => isOver));
  for (const { text } of heard) {
    const body = JSON.parse(text) as { index: number; instances: { id: string; status: string }[] };
    assert.equal(body.index, Number(index) + 1);
    assert.equal(body.instances.length, COUNT);
    assert.deepEqual(
      body.instances.filter(({ status }) => status === "draining").map(({ id }) => id),
      ["i7"],
    );
  }
});

test("Eureka's clients read thousands, in JSON and in XML", async (t) => {
  const { url, registry } = await startTestRegistry(t);
  await registerMany(registry, "pets");
  await registry.register({ service: "shop", id: "s" }, { url: "http://127.0.0.1:1" }, SOMEBODY);
  const json = await (await fetch(`${url}/eureka/apps`, { headers: { accept: "application/json" } })).json();
  const { applications } = json as { applications: { application: { name: string; instance: object[] }[] } };
  assert.deepEqual(
    applications.application.map(({ name, instance }) => [name, instance.length]),
    [
      ["PETS", COUNT],
      ["SHOP", 1],
    ],
  );
  const xml = await (await fetch(`${url}/eureka/apps`)).text();
  assert.equal(xml.split("<instance>").length, COUNT + 2);
  assert.ok(xml.endsWith("</application></applications>"));
  assert.ok(xml.includes("<note>&lt;12&gt;</note>"));
  const one = await (await fetch(`${url}/eureka/apps/shop`, { headers: { accept: "application/json" } })).json();
  assert.equal((one as { application: { instance: object[] } }).application.instance.length, 1);
});

test("thousands of leases that end together are all let go, and who registers anew meanwhile stays", async (t) => {
  const { url, registry } = await startTestRegistry(t, { preservation: { enabled: false } });
  await registerMany(registry, "pets", 1);
  await eventually("they are being let go", () => registry.state().instances < COUNT);
  await registry.register({ service: "pets", id: "i2999" }, { url: "http://127.0.0.1:1", ttlSeconds: 60 }, SOMEBODY);
  await eventually("all others are gone", () => registry.state().instances === 1);
  const { instances } = (await call("GET", `${url}/v1/services/pets`)).body;
  assert.deepEqual(
    instances?.map(({ id }) => id),
    ["i2999"],
  );
});
