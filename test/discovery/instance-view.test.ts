import assert from "node:assert/strict";
import { test } from "node:test";
import type { Instance } from "../../src/core/upstream.ts";
import { InstanceView } from "../../src/discovery/instance-view.ts";
import { instanceOf } from "../support/balancing.ts";

const more = { zone: "a", version: "1", tags: ["x", "y"], metadata: { host: "one", cpu: "2" } };
const others: Partial<Instance>[] = [
  { url: "http://else.test:1" },
  { weight: 2 },
  { status: "draining" },
  { zone: "b" },
  { version: undefined },
  { tags: ["x"] },
  { tags: ["x", "z"] },
  { tags: undefined },
  { metadata: { host: "one" } },
  { metadata: { host: "one", cpu: "4" } },
  { metadata: { host: "one", ram: "2" } },
  { unconfirmed: true },
];

function read(view: InstanceView, instances: readonly Instance[]): void {
  view.begin();
  for (const instance of instances) view.set(instance.id, structuredClone(instance));
  view.commit();
}

test("a list that is read anew names the very objects of before, but for what has changed", () => {
  const told: (readonly Instance[])[] = [];
  const view = new InstanceView((instances) => told.push(instances));
  read(view, [instanceOf("same", more), instanceOf("gone", more), instanceOf("other", more)]);
  for (const change of others) {
    read(view, [instanceOf("same", more), instanceOf("other", { ...more, ...change }), instanceOf("new", more)]);
    const [before, now] = told.slice(-2);
    assert.equal(now?.[0], before?.[0]);
    assert.notEqual(
      now?.[1],
      before?.find(({ id }) => id === "other"),
      JSON.stringify(change),
    );
    assert.deepEqual(
      now?.map(({ id }) => id),
      ["same", "other", "new"],
    );
    read(view, [instanceOf("same", more), instanceOf("other", more)]);
  }
});

test("until a list has come to its end, what was known before stands; one that breaks off is forgotten", () => {
  const told: string[][] = [];
  const view = new InstanceView((instances) => told.push(instances.map(({ id }) => id)));
  read(view, [instanceOf("a"), instanceOf("b")]);
  view.begin();
  view.set("c", instanceOf("c"));
  view.flush();
  read(view, [instanceOf("b")]);
  assert.deepEqual(told, [["a", "b"], ["b"]]);
});

test("what changes nothing is not told; what changes is told when the view is flushed", () => {
  let told = 0;
  const view = new InstanceView(() => told++);
  read(view, [instanceOf("a")]);
  view.set("a", instanceOf("a"));
  view.set("unknown", undefined);
  view.flush();
  assert.equal(told, 1);
  view.set("a", undefined);
  view.flush();
  assert.equal(told, 2);
});
