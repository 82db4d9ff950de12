import assert from "node:assert/strict";
import { test } from "node:test";
import type { RouteConfig } from "../../src/config/load.ts";
import { inlineSource } from "../../src/config/source.ts";
import type { Instance } from "../../src/core/upstream.ts";
import type { DiscoverySource, InstanceListener } from "../../src/discovery/source.ts";
import { Services } from "../../src/gateway/services.ts";
import { instancesOf } from "../support/balancing.ts";

/** A registry in a variable. */
function createFakeRegistry() {
  const listeners = new Map<string, InstanceListener>();
  const source: DiscoverySource = {
    name: "registry",
    watch(service, listener) {
      listeners.set(service, listener);
      return { ready: Promise.resolve(), ageMs: () => 0, close: () => listeners.delete(service) };
    },
    async close() {},
  };
  const tell = (service: string, instances: Instance[]): void => listeners.get(service)?.(instances);
  return { services: new Services(new Map([["registry", source]])), listeners, tell };
}
const route: RouteConfig = {
  source: inlineSource("(route)", {}),
  name: "(route)",
  folder: ".",
  options: { openapi: "x" },
};

test("routes that balance one service alike share it; others have their own, from one watch", () => {
  const { services, listeners, tell } = createFakeRegistry();
  const a = services.balancerFor({ service: "things" }, route, []);
  const b = services.balancerFor({ service: "things" }, route, []);
  const c = services.balancerFor({ service: "things", balance: { policy: "random" } }, route, []);
  assert.equal(a, b);
  assert.notEqual(a, c);
  assert.deepEqual([...listeners.keys()], ["things"]);
  tell("things", instancesOf(2));
  for (const service of [a, c]) assert.equal(service?.describe().length, 2);
  const late = services.balancerFor({ service: "things", balance: { policy: "round-robin" } }, route, []);
  assert.equal(late?.describe().length, 2);
});

test("a reload keeps what its routes still use, and lets go of the rest", () => {
  const { services, listeners } = createFakeRegistry();
  const kept = services.balancerFor({ service: "kept" }, route, []);
  services.balancerFor({ service: "dropped" }, route, []);
  services.releaseUnused();
  assert.equal(services.list().length, 2);
  assert.equal(services.balancerFor({ service: "kept" }, route, []), kept);
  services.releaseUnused();
  assert.deepEqual(
    services.list().map(({ name }) => name),
    ["kept"],
  );
  assert.deepEqual([...listeners.keys()], ["kept"]);
});

test("a route without an upstream, or with an unknown source, is a problem with its remedy", () => {
  const { services } = createFakeRegistry();
  const problems: { message: string }[] = [];
  assert.equal(services.balancerFor(undefined, route, problems as never), undefined);
  assert.equal(services.balancerFor({ service: "x", from: "etcd" }, route, problems as never), undefined);
  assert.match(problems[0]?.message ?? "", /upstream is missing; write/);
  assert.match(problems[1]?.message ?? "", /upstream.from is etcd; known sources: registry/);
});
