import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { AddressPolicy } from "../../src/discovery/address-policy.ts";
import { PoolGroup } from "../../src/forwarding/pools.ts";
import { ask } from "../support/byte-upstream.ts";

const far = { isRegistrantLocal: false };

for (const url of [
  "http://127.0.0.1/",
  "http://0x7f.1/",
  "http://2130706433/",
  "http://017700000001/",
  "http://[::1]/",
  "http://[::ffff:127.0.0.1]/",
  "http://[::ffff:7f00:1]/",
  "http://[64:ff9b::7f00:1]/",
  "http://[::127.0.0.1]/",
  "http://[::a9fe:a9fe]/",
  "http://[64:ff9b:1::7f00:1]/",
  "http://[2002:7f00:1::]/",
  "http://[fec0::1]/",
  "http://[fd20:ce::254]/",
  "http://[::ffff:0:127.0.0.1]/",
  "http://[::]/",
  "http://0/",
  "http://0177.0.0.1/",
  "http://127.1/",
  "http://127.0.0.1./",
  "http://①②⑦.⓪.⓪.①/",
  "http://localhost/",
  "http://0.0.0.0/",
  "http://169.254.169.254/latest/meta-data/",
  "http://[::ffff:169.254.169.254]/",
  "http://0xa9fea9fe/",
  "http://[fe80::1]/",
  "http://[fd00:ec2::254]/",
  "http://100.100.100.200/",
  "http://224.0.0.1/",
  "http://255.255.255.255/",
  "ftp://10.0.0.1/",
  "http://user:secret@10.0.0.1/",
]) {
  test(`${url} is no place for an instance of another machine`, async () => {
    assert.equal(typeof (await new AddressPolicy().findRefusalOfUrl(url, far)), "string");
  });
}

test("private and public addresses are, and loopback for who is on this machine", async () => {
  const policy = new AddressPolicy();
  assert.equal(await policy.findRefusalOfUrl("http://10.1.2.3:9000", far), undefined);
  assert.equal(await policy.findRefusalOfUrl("https://[2001:4860:4860::8888]", far), undefined);
  assert.equal(await policy.findRefusalOfUrl("http://127.0.0.1:9000", { isRegistrantLocal: true }), undefined);
});

test("allow and deny say which networks; deny is the stronger", () => {
  const policy = new AddressPolicy({ allow: ["10.0.0.0/8"], deny: ["10.66.0.0/16"] });
  assert.equal(policy.findRefusal("10.1.2.3", 80), undefined);
  assert.match(String(policy.findRefusal("192.168.0.1", 80)), /allowed/);
  assert.match(String(policy.findRefusal("10.66.0.1", 80)), /denied/);
  assert.throws(() => new AddressPolicy({ allow: ["10.0.0.0/99"] }), RangeError);
});

test("what a name points at is checked when the connection is opened, not only before", async (t) => {
  const server = createServer((_request, response) => response.end("secret")).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  t.after(() => server.close());
  const policy = new AddressPolicy({ deny: ["127.0.0.0/8", "::1/128"] });
  for (const http2 of [false, true]) {
    const pools = new PoolGroup({ http2 }, (host, address, at) => policy.findRefusalAtConnect(host, address, at));
    t.after(() => pools.destroy());
    for (const host of ["localhost", "127.0.0.1"]) {
      const origin = `${http2 ? "https" : "http"}://${host}:${port}`;
      await assert.rejects(ask(pools, origin), { code: "UPSTREAM_ADDRESS_REFUSED" });
    }
  }
});

test("a name that turns to loopback is a rebinding; one that the operator wrote is trusted", () => {
  const policy = new AddressPolicy();
  assert.match(String(policy.findRefusalAtConnect("pets.example", "127.0.0.1", 80)), /itself/);
  assert.equal(policy.findRefusalAtConnect("localhost", "127.0.0.1", 80), undefined);
  policy.trust("http://pets.example:80");
  assert.equal(policy.findRefusalAtConnect("pets.example", "127.0.0.1", 80), undefined);
});
