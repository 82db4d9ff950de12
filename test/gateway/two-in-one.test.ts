import assert from "node:assert/strict";
import { test } from "node:test";
import { logFaults } from "../../src/telemetry/log-faults.ts";
import { Metrics } from "../../src/telemetry/metrics.ts";
import { eventually } from "../support/eventually.ts";
import { sendRaw } from "../support/raw.ts";
import { startRawGateway } from "../support/raw-gateway.ts";

test("of two gateways in one process each logs and counts its own requests alone", async (t) => {
  const broken = await startRawGateway(t, { answer: (_request, socket) => socket.destroy() });
  const whole = await startRawGateway(t);
  const told = [broken, whole].map(({ gateway }) => {
    const lines: object[] = [];
    const metrics = new Metrics();
    metrics.start(gateway.name);
    t.after(logFaults({ error: (fields) => lines.push(fields) }, gateway.name));
    t.after(() => metrics.close());
    return { lines, metrics };
  });
  const post = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi";
  assert.deepEqual((await sendRaw(broken.base, post, { answers: 1 })).statuses, [502]);
  assert.deepEqual((await sendRaw(whole.base, post, { answers: 1 })).statuses, [200]);
  const counted = /portico_requests_total\{operation="[^"]*",status="(\d+)"\} (\d+)/g;
  const seen = await eventually("both are counted", () => {
    const found = told.map(({ metrics }) =>
      [...metrics.render().matchAll(counted)].map(([, status, n]) => [status, n]),
    );
    return found.every((samples) => samples.length > 0) && found;
  });
  assert.deepEqual(seen, [[["502", "1"]], [["200", "1"]]]);
  assert.deepEqual(
    told.map(({ lines }) => lines.length),
    [1, 0],
  );
});
