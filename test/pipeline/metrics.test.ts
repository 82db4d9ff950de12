import assert from "node:assert/strict";
import { test } from "node:test";
import { definePlugin, Type } from "../../src/plugin.ts";
import { PluginMeters } from "../../src/telemetry/plugin-meters.ts";
import { testPlugin } from "../../src/testing.ts";

const measuring = definePlugin({
  name: "measuring",
  phase: "observe",
  options: Type.Object({ team: Type.String({ description: "Whose." }) }),
  setup({ options, metrics }) {
    const seen = metrics.counter("seen_total", "Requests seen.", { team: options.team });
    const size = metrics.gauge("last_status", "Of the last answer.");
    const took = metrics.histogram("took_seconds", "How long it took.");
    return async (exchange, next) => {
      seen.add();
      const response = await next(exchange);
      size.set(response.status);
      took.observe(0.02);
      return response;
    };
  },
});

test("a plugin counts, gauges and measures time, as Prometheus reads it", async () => {
  const plugin = await testPlugin(measuring, { team: 'blue "1"\n' });
  for (let i = 0; i < 3; i++) await plugin.send();
  const lines = plugin.metrics().split("\n");
  for (const line of [
    "# HELP portico_plugin_seen_total Requests seen.",
    "# TYPE portico_plugin_seen_total counter",
    'portico_plugin_seen_total{plugin="measuring",operation="GET /",team="blue \\"1\\"\\n"} 3',
    'portico_plugin_last_status{plugin="measuring",operation="GET /"} 200',
    'portico_plugin_took_seconds_bucket{plugin="measuring",operation="GET /",le="0.01"} 0',
    'portico_plugin_took_seconds_bucket{plugin="measuring",operation="GET /",le="0.05"} 3',
    'portico_plugin_took_seconds_bucket{plugin="measuring",operation="GET /",le="+Inf"} 3',
    'portico_plugin_took_seconds_count{plugin="measuring",operation="GET /"} 3',
  ]) {
    assert.ok(lines.includes(line), `${line} is not in\n${lines.join("\n")}`);
  }
});

test("operations of a reload count on, and a name has one kind", () => {
  const meters = new PluginMeters();
  meters.of("a", "GET /x").counter("n_total", "N.").add(2);
  meters.of("a", "GET /x").counter("n_total", "N.").add();
  assert.match(meters.render(), /^portico_plugin_n_total\{plugin="a",operation="GET \/x"\} 3$/m);
  assert.throws(() => meters.of("b", "GET /x").gauge("n_total", "N."), /is a counter already/);
  assert.throws(() => meters.of("b", "GET /x").counter("n-total", "N."), /write lower-case letters/);
});
