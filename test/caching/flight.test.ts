import assert from "node:assert/strict";
import { test } from "node:test";
import { Flight, type Landing } from "../../src/caching/flight.ts";
import { channels, type Fault } from "../../src/core/channels.ts";
import { GatewayError } from "../../src/core/errors.ts";
import { Exchange } from "../../src/core/exchange.ts";
import { HeaderList } from "../../src/core/headers.ts";

const exchangeOf = (id: string): Exchange =>
  new Exchange({
    id,
    request: {
      method: "GET",
      target: "/",
      path: "/",
      query: "",
      headers: new HeaderList(),
      body: null,
      httpVersion: "1.1",
      scheme: "http",
      authority: "a",
    },
    client: { address: "192.0.2.1", peer: "192.0.2.1" },
    startedAtMs: 0,
  });

test("a leader that has gone, and whose listener throws, keeps nobody waiting, and the fault is told", async (t) => {
  const leader = exchangeOf("leader");
  const faults: unknown[] = [];
  const onFault = (message: unknown): void => {
    const { exchange, error } = message as Fault;
    if (exchange === leader) faults.push((error as Error).message);
  };
  channels.fault.subscribe(onFault);
  t.after(() => channels.fault.unsubscribe(onFault));
  let told = 0;
  leader.onAbort(() => {
    throw new Error("of a listener");
  });
  leader.onAbort(() => told++);
  const flight = new Flight(leader, "GET /", 1);
  const waiting = flight.follow(exchangeOf("follower"));
  leader.abort();
  assert.deepEqual([leader.isAborted, told], [false, 0], "others wait for it");
  const error = new GatewayError("UPSTREAM_ABORTED", "of the upstream");
  const landing: Landing = { kind: "failed", error, shape: "" };
  flight.land(landing);
  assert.equal(await waiting, landing);
  assert.deepEqual([leader.isAborted, told, faults], [true, 1, ["of a listener"]]);
});
