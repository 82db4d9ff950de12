import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GatewayError } from "../../src/core/errors.ts";
import { Exchange, type GatewayResponse, type Next } from "../../src/core/exchange.ts";
import { HeaderList } from "../../src/core/headers.ts";
import { type Hooks, runHooks, type StepHooks } from "../../src/pipeline/hooks.ts";
import { hookStep, toHandlers } from "../../src/pipeline/order.ts";
import { defineHooks, definePlugin, Type } from "../../src/plugin.ts";
import { testPlugin } from "../../src/testing.ts";

const exchange = (): Exchange =>
  new Exchange({
    id: "test",
    request: {
      method: "GET",
      target: "/",
      path: "/",
      query: "",
      headers: new HeaderList(),
      body: null,
      httpVersion: "1.1",
      scheme: "http",
      authority: "",
    },
    client: { address: "192.0.2.1", peer: "192.0.2.1" },
    startedAtMs: 0,
  });
const answer = (status = 200): GatewayResponse => ({ status, headers: new HeaderList(), body: null });
const refusal = new GatewayError("FORBIDDEN", "not you");
const asCode =
  (code: string) =>
  (error: unknown): boolean =>
    error instanceof GatewayError && error.code === code;

/** A row of hooks that write down when they are called. */
function traced(names: string, special: Readonly<Record<string, Hooks | "answers-errors">> = {}) {
  const trace: string[] = [];
  const row = [...names].map((name): StepHooks => {
    const own = special[name];
    if (own === "answers-errors") return { name, hooks: {}, onError: () => answer(500) };
    return {
      name,
      hooks: {
        onRequest(held) {
          trace.push(`${name}>`);
          return own?.onRequest?.(held) ?? name;
        },
        onResponse(held, response, noted) {
          trace.push(`<${name}${noted === name ? "" : "?"}`);
          own?.onResponse?.(held, response, noted);
        },
      },
    };
  });
  const next: Next = async () => {
    trace.push("next");
    return answer();
  };
  return { row, trace, next };
}

describe("hooks", () => {
  it("run from the outermost to the service and back, each with what it noted", async () => {
    const { row, trace, next } = traced("abc");
    await runHooks(row)(exchange(), next);
    assert.equal(trace.join(" "), "a> b> c> next <c <b <a");
  });

  it("that refuse keep the request from whatever stands further in, and its refusal from those further out", async () => {
    const { row, trace, next } = traced("abc", {
      b: {
        onRequest() {
          throw refusal;
        },
      },
    });
    await assert.rejects(async () => runHooks(row)(exchange(), next), refusal);
    assert.equal(trace.join(" "), "a> b>");
  });

  it("further out than what answers errors see the answer to a refusal; those further in do not", async () => {
    const { row, trace, next } = traced("abcd", {
      b: "answers-errors",
      d: {
        onRequest() {
          throw refusal;
        },
      },
    });
    const response = await runHooks(row)(exchange(), next);
    assert.equal(response.status, 500);
    assert.equal(trace.join(" "), "a> c> d> <a");
  });

  it("further out than what answers errors see the answer to a service that failed, too", async () => {
    for (const failing of [() => Promise.reject(refusal), () => assert.fail("at once")] as Next[]) {
      const { row, trace } = traced("abc", { b: "answers-errors" });
      assert.equal((await runHooks(row)(exchange(), failing)).status, 500);
      assert.equal(trace.join(" "), "a> c> <a");
    }
  });

  it("that throw what is no refusal are a 500 and never a pass", async () => {
    const broken = () => {
      throw new TypeError("broken");
    };
    for (const hooks of [{ onRequest: broken }, { onResponse: broken }]) {
      const { next } = traced("");
      await assert.rejects(async () => runHooks([{ name: "x", hooks }])(exchange(), next), asCode("PLUGIN_FAILED"));
    }
  });

  it("that return a promise are a 500: nobody would wait for the check", async () => {
    for (const hooks of [{ onRequest: async () => {} }, { onResponse: async () => {} }] as Hooks[]) {
      const { next } = traced("");
      await assert.rejects(async () => runHooks([{ name: "x", hooks }])(exchange(), next), asCode("PLUGIN_FAILED"));
    }
  });

  it("in a row are one handler, and a handler between them ends the row", async () => {
    const { row, trace, next } = traced("abcd");
    const [a, b, c, d] = row.map((hooks) => hookStep("observe", hooks));
    assert(a && b && c && d);
    const between = { phase: "observe", name: "between", handler: (held, onward) => onward(held) } as const satisfies {
      handler: (held: Exchange, onward: Next) => Promise<GatewayResponse>;
      phase: string;
      name: string;
    };
    const handlers = toHandlers([a, b, between, c, d]);
    assert.equal(handlers.length, 3);
    const [outer, middle, inner] = handlers;
    assert(outer && middle && inner);
    await outer(exchange(), (held) => middle(held, (kept) => inner(kept, next)));
    assert.equal(trace.join(" "), "a> b> c> d> next <d <c <b <a");
  });

  it("are what a plugin may return, by themselves or beside what else it has", async () => {
    let isClosed = false;
    const hooks = defineHooks({
      onRequest: ({ request }) => request.path,
      onResponse: (_exchange, response, path) => response.headers.set("X-Path", path),
    });
    const close = (): void => {
      isClosed = true;
    };
    for (const setup of [() => hooks, () => ({ hooks, close })]) {
      const plugin = definePlugin({ name: "tells-path", phase: "observe", options: Type.Object({}), setup });
      const tested = await testPlugin(plugin);
      assert.equal((await tested.send({ target: "/pets" })).response.headers.get("x-path"), "/pets");
      await tested.close();
    }
    assert(isClosed);
  });

  it("of which there are none are no plugin", async () => {
    const plugin = definePlugin({ name: "nothing", phase: "observe", options: Type.Object({}), setup: () => ({}) });
    await assert.rejects(testPlugin(plugin), /neither a handler nor hooks/);
  });
});
