import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { createRegistrySource } from "../../src/discovery/registry.ts";
import { startBalancedGateway } from "../support/balanced-gateway.ts";
import { call, eventually, idsOf, startTestRegistry } from "../support/registry.ts";

interface EurekaClient {
  start(callback: (error?: Error) => void): void;
  stop(callback: () => void): void;
  getInstancesByAppId(app: string): { ipAddr: string }[];
  on(event: string, listener: () => void): void;
}
const { Eureka } = createRequire(import.meta.url)("eureka-js-client") as {
  Eureka: new (options: object) => EurekaClient;
};
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

test("npm's eureka-js-client registers, renews, reads, is routed to and deregisters", async (t) => {
  const { url } = await startTestRegistry(t);
  const service = createServer((request, response) => response.end(`here is ${request.url}`)).listen(0, "127.0.0.1");
  t.after(() => service.close());
  await once(service, "listening");
  const { port } = service.address() as AddressInfo;
  const client = new Eureka({
    logger: quiet,
    instance: {
      app: "PETSTORE",
      instanceId: "pets:1",
      hostName: "localhost",
      ipAddr: "127.0.0.1",
      port: { $: port, "@enabled": true },
      vipAddress: "petstore",
      statusPageUrl: "",
      dataCenterInfo: { "@class": "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo", name: "MyOwn" },
      leaseInfo: { durationInSecs: 2 },
    },
    eureka: {
      host: "127.0.0.1",
      port: Number(new URL(url).port),
      servicePath: "/eureka/apps/",
      heartbeatInterval: 300,
    },
  });
  await new Promise<void>((resolve, reject) => client.start((error) => (error ? reject(error) : resolve())));
  const source = createRegistrySource({ urls: [url] });
  t.after(() => source.close());
  let told = "";
  source.watch("petstore", (instances) => {
    told = instances.map((instance) => instance.url).join();
  });
  await eventually(
    () => told,
    (urls) => urls === `http://127.0.0.1:${port}`,
  );
  const route = { upstream: { service: "petstore" } };
  const gateway = await startBalancedGateway(t, route, { registry: { url } });
  assert.equal(await (await fetch(`${gateway.url}/things/7`)).text(), "here is /things/7");
  let beats = 0;
  client.on("heartbeat", () => beats++);
  await eventually(
    () => beats,
    (count) => count >= 9,
  );
  assert.deepEqual(idsOf(await call("GET", `${url}/v1/services/petstore`)), ["pets:1"]);
  await new Promise<void>((resolve) => client.stop(resolve));
  await eventually(
    () => told,
    (urls) => urls === "",
  );
});

const xml = `<?xml version="1.0"?><instance><instanceId>x</instanceId><hostName>localhost</hostName><app>SHOPS</app>
<ipAddr>127.0.0.1</ipAddr><status>UP</status><port enabled="true">9001</port><securePort enabled="false">443</securePort>
<metadata><zone>a&amp;b</zone></metadata></instance>`;
const send = (url: string, body: string) =>
  call("POST", `${url}/eureka/apps/SHOPS`, { body, headers: { "content-type": "application/xml" } });

test("XML registers as JSON does, and is what a reader gets that does not ask for JSON", async (t) => {
  const { url } = await startTestRegistry(t);
  assert.equal((await send(url, xml)).status, 204);
  const listed = (await call("GET", `${url}/v1/services/shops`)).body.instances?.[0];
  assert.equal(listed?.url, "http://127.0.0.1:9001");
  assert.equal(listed?.zone, "a&b");
  const text = await (await fetch(`${url}/eureka/apps/SHOPS`, { headers: { accept: "application/xml" } })).text();
  assert.match(text, /<application><name>SHOPS<\/name><instance><instanceId>x<\/instanceId>/);
  assert.match(text, /<port enabled="true">9001<\/port>/);
  assert.equal((await call("PUT", `${url}/eureka/apps/SHOPS/x/status?value=OUT_OF_SERVICE`)).status, 200);
  const after = await call("GET", `${url}/v1/services/shops`);
  assert.equal(after.body.instances?.[0]?.status, "draining");
  assert.equal((await call("PUT", `${url}/eureka/apps/SHOPS/nobody`)).status, 404);
});

for (const [what, body] of [
  ["a document type", `<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>${xml}`],
  ["elements that do not close", "<instance><hostName>a"],
  ["no address", "<instance><app>SHOPS</app></instance>"],
  ["a metadata address", xml.replace("127.0.0.1", "169.254.169.254")],
]) {
  test(`XML with ${what} is refused`, async (t) => {
    const { url } = await startTestRegistry(t);
    const { status } = await send(url, String(body));
    assert.ok(status === 400 || status === 422, String(status));
  });
}

interface Applications {
  applications: {
    apps__hashcode: string;
    application: { name: string; instance: { instanceId: string; actionType: string; status: string }[] }[];
  };
}
const json = { headers: { accept: "application/json", "content-type": "application/json" } };
const asJson = (more: object = {}) => ({
  ...json,
  body: { instance: { instanceId: "x", hostName: "localhost", ipAddr: "127.0.0.1", port: { $: 9001 }, ...more } },
});

test("the delta tells what has changed, and the sum that a client holds its own against", async (t) => {
  const { url } = await startTestRegistry(t);
  const delta = async (): Promise<string[]> => {
    const { body } = await call("GET", `${url}/eureka/apps/delta`, json);
    const { application, apps__hashcode } = (body as unknown as Applications).applications;
    return [
      apps__hashcode,
      ...application.flatMap(({ name, instance }) =>
        instance.map((one) => `${name} ${one.instanceId} ${one.actionType} ${one.status}`),
      ),
    ];
  };
  assert.deepEqual(await delta(), [""]);
  await call("POST", `${url}/eureka/apps/SHOPS`, asJson());
  await call("POST", `${url}/eureka/apps/SHOPS`, asJson({ instanceId: "y" }));
  await call("PUT", `${url}/eureka/apps/SHOPS/x/status?value=OUT_OF_SERVICE`);
  await call("DELETE", `${url}/eureka/apps/SHOPS/y`);
  assert.deepEqual(await delta(), [
    "OUT_OF_SERVICE_1_",
    "SHOPS x ADDED UP",
    "SHOPS y ADDED UP",
    "SHOPS x MODIFIED OUT_OF_SERVICE",
    "SHOPS y DELETED UP",
  ]);
  const whole = (await call("GET", `${url}/eureka/apps`, json)).body as unknown as Applications;
  assert.equal(whole.applications.apps__hashcode, "OUT_OF_SERVICE_1_");
});

test("an operator's status outlives a registration until it is taken back", async (t) => {
  const { url } = await startTestRegistry(t);
  const look = async (): Promise<unknown[]> => {
    const { instance } = (await call("GET", `${url}/eureka/apps/SHOPS/x`, json)).body as {
      instance: { status: string; overriddenStatus: string };
    };
    return [instance.status, instance.overriddenStatus];
  };
  await call("POST", `${url}/eureka/apps/SHOPS`, asJson());
  assert.deepEqual(await look(), ["UP", "UNKNOWN"]);
  await call("PUT", `${url}/eureka/apps/SHOPS/x/status?value=OUT_OF_SERVICE`);
  await call("POST", `${url}/eureka/apps/SHOPS`, asJson());
  assert.deepEqual(await look(), ["OUT_OF_SERVICE", "OUT_OF_SERVICE"]);
  await call("DELETE", `${url}/eureka/apps/SHOPS/x/status?value=UP`);
  assert.deepEqual(await look(), ["UP", "UNKNOWN"]);
});

test("a heartbeat of an instance that has changed since is 404, and an older registration changes nothing", async (t) => {
  const { url } = await startTestRegistry(t);
  const beat = async (stamp: number) =>
    (await call("PUT", `${url}/eureka/apps/SHOPS/x?status=UP&lastDirtyTimestamp=${stamp}`)).status;
  await call("POST", `${url}/eureka/apps/SHOPS`, asJson({ lastDirtyTimestamp: "2000" }));
  assert.equal(await beat(2_000), 200);
  assert.equal(await beat(1_000), 200);
  assert.equal(await beat(3_000), 404);
  const older = asJson({ lastDirtyTimestamp: "1000", port: { $: 9009 } });
  assert.equal((await call("POST", `${url}/eureka/apps/SHOPS`, older)).status, 204);
  const [known] = (await call("GET", `${url}/v1/services/shops`)).body.instances ?? [];
  assert.equal(known?.url, "http://127.0.0.1:9001");
});

test("CRLF in what a Eureka client says is refused", async (t) => {
  const { url } = await startTestRegistry(t);
  for (const more of [
    { metadata: { a: "x\r\nSet-Cookie: y" } },
    { instanceId: "x\r\ny" },
    { ipAddr: "127.0.0.1\r\n" },
    { metadata: { "a\r\nb": "x" } },
  ]) {
    const { status } = await call("POST", `${url}/eureka/apps/SHOPS`, asJson(more));
    assert.ok(status === 400 || status === 422, `${status} ${JSON.stringify(more)}`);
  }
  assert.deepEqual(idsOf(await call("GET", `${url}/v1/services/shops`)), []);
});
