import assert from "node:assert/strict";
import { after, test } from "node:test";
import { GatewayError } from "../../src/core/errors.ts";
import type { Exchange, GatewayResponse, Handler, Next } from "../../src/core/exchange.ts";
import { HeaderList } from "../../src/core/headers.ts";
import { guard } from "../../src/pipeline/guard.ts";
import { Watchdog } from "../../src/pipeline/watchdog.ts";

// A watchdog keeps no process alive; these tests have nothing else that does.
const open = setInterval(() => {}, 1000);
after(() => clearInterval(open));

const answer: GatewayResponse = { status: 200, headers: new HeaderList(), body: null };
const pass: Next = async () => answer;
const exchange = (): Exchange =>
  ({
    isGivenUp: false,
    request: { method: "GET", path: "/", query: "", headers: new HeaderList(), body: null },
  }) as Exchange;
const failed = { code: "PLUGIN_FAILED" };
const never = new Promise<GatewayResponse>(() => {});

for (const [name, handler] of [
  [
    "throws",
    () => {
      throw new TypeError("x is undefined");
    },
  ],
  [
    "rejects",
    async () => {
      throw new TypeError("x is undefined");
    },
  ],
  ["rejects with nothing", () => Promise.reject(undefined)],
  ["returns nothing", (async () => undefined) as unknown as Handler],
  ["returns true", (() => true) as unknown as Handler],
] as [string, Handler][]) {
  test(`a plugin that ${name} ends the request with a code, and passes nothing on`, async () => {
    let passed = 0;
    const next: Next = async () => {
      passed++;
      return answer;
    };
    await assert.rejects(guard("broken", handler, new Watchdog(1000))(exchange(), next), failed);
    assert.equal(passed, 0);
  });
}

test("a refusal of a plugin stays what it is", async () => {
  const refusal = new GatewayError("FORBIDDEN", "no");
  const handler: Handler = () => Promise.reject(refusal);
  await assert.rejects(guard("strict", handler, undefined)(exchange(), pass), refusal);
});

test("a plugin that takes too long is given up, and can then no longer pass the request on", async () => {
  let wake: (() => void) | undefined;
  let late: Promise<GatewayResponse> | undefined;
  let passed = 0;
  const handler: Handler = async (held, next) => {
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
    late = next(held);
    return late;
  };
  const next: Next = async () => {
    passed++;
    return answer;
  };
  await assert.rejects(guard("slow", handler, new Watchdog(40))(exchange(), next), failed);
  wake?.();
  await new Promise((resolve) => setImmediate(resolve));
  await assert.rejects(late as Promise<GatewayResponse>, failed);
  assert.equal(passed, 0);
});

test("the time that the upstream takes is not the plugin's", async () => {
  const slowUpstream: Next = () => new Promise((resolve) => setTimeout(resolve, 200, answer));
  const handler: Handler = async (held, next) => {
    await null;
    return next(held);
  };
  assert.equal(await guard("quick", handler, new Watchdog(40))(exchange(), slowUpstream), answer);
});

for (const [when, handler] of [
  ["at once", async (held: Exchange, next: Next) => next(held).then(() => never)],
  [
    "after it has waited",
    async (held: Exchange, next: Next) => {
      await null;
      await next(held);
      return never;
    },
  ],
] as const) {
  test(`a plugin that passes on ${when} and then keeps the answer for too long is given up`, async () => {
    let answers = 0;
    const slowUpstream: Next = () =>
      new Promise((resolve) => {
        setTimeout(() => {
          answers++;
          resolve(answer);
        }, 100);
      });
    const call = guard("keeper", handler, new Watchdog(40))(exchange(), slowUpstream);
    await assert.rejects(call, { ...failed, message: /keeper took more than 40 ms/ });
    assert.equal(answers, 1, "the time of the upstream counts for nobody");
  });
}

test("only the plugin that keeps an answer is late, not those around it that wait for it", async () => {
  const waits: Handler = async (held, next) => ({ ...(await next(held)), status: 202 });
  const outer = guard("outer", waits, new Watchdog(40));
  const keeper = guard("keeper", async (held, next) => next(held).then(() => never), new Watchdog(80));
  await assert.rejects(
    outer(exchange(), (held) => keeper(held, pass)),
    { message: /keeper took more than 80 ms/ },
  );
});

test("a plugin that asks again has its time anew", async () => {
  let asked = 200;
  const next: Next = () => new Promise((resolve) => setTimeout(resolve, 60, { ...answer, status: ++asked }));
  const twice: Handler = async (held, ask) => {
    await ask(held);
    return ask(held);
  };
  assert.equal((await guard("twice", twice, new Watchdog(40))(exchange(), next)).status, 202);
});

test("a watchdog tells what is late, in the order it came, and not what has left", async () => {
  const watchdog = new Watchdog(20);
  const late: number[] = [];
  await new Promise<void>((resolve) => {
    for (let i = 0; i < 4; i++) {
      const onLate = (): void => {
        late.push(i);
        if (i === 3) resolve();
      };
      const watched = { earlier: undefined, later: undefined, lastTick: 0, onLate };
      watchdog.enter(watched);
      if (i === 1) watchdog.leave(watched);
    }
  });
  assert.deepEqual(late, [0, 2, 3]);
});

test("a call without an end is told of, though its promise never settles", async () => {
  await assert.rejects(guard("stuck", () => never, new Watchdog(20))(exchange(), pass), failed);
});

test("what a plugin hands on as it was handed to it comes back as the same promise", () => {
  const given = Promise.resolve(answer);
  const guarded = guard("pass", (passed, next) => next(passed), undefined);
  assert.equal(
    guarded(exchange(), () => given),
    given,
  );
});

test("an answer of its own is looked at, also when the request was passed on before", async () => {
  const guarded = guard(
    "forgetful",
    ((passed: Exchange, next: Next) => {
      void next(passed);
      return Promise.resolve(undefined);
    }) as unknown as Handler,
    undefined,
  );
  await assert.rejects(guarded(exchange(), pass), failed);
});
