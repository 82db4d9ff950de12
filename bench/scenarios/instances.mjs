import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Agent, createServer, request } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort, start, untilAnswers } from "../process.mjs";

const COUNT = 10_000;
const BAR_MS = 20;
const bench = dirname(dirname(fileURLToPath(import.meta.url)));
const main = join(dirname(bench), "dist/src/cli/main.js");
const policies = { "round-robin": { policy: "round-robin" }, hash: { policy: "hash", hash: { header: "x-key" } } };

/** Who is measured, each in a run of its own and alone on its core: what else takes part has the other one. */
const runs = [
  { of: "registry", policy: "round-robin" },
  { of: "gateway, round-robin", policy: "round-robin" },
  { of: "gateway, hash", policy: "hash" },
];

/** How long the event loops of the registry and of watching gateways are held up while many instances come, change and go. */
export const scenario = {
  name: "instances",
  title: `${COUNT.toLocaleString("en")} instances register and are watched, the gateway in traffic`,
  async run({ say }) {
    pin(process.pid, 1);
    const rows = new Map();
    let [most, mostWork, answered, failed] = [0, 0, 0, 0];
    for (const { of, policy } of runs) {
      const told = await measure(of === "registry", policy, (what, { maxMs, workMs }) => {
        most = Math.max(most, maxMs);
        mostWork = Math.max(mostWork, workMs);
        rows.set(what, [...(rows.get(what) ?? []), `${maxMs.toFixed(1)} ms (at work: ${workMs.toFixed(1)})`]);
      });
      answered += told.answered;
      failed += told.failed;
    }
    pin(process.pid, "0-1023");
    say(`| what happens | ${runs.map(({ of }) => `of the ${of}`).join(" | ")} |`);
    say("| --- | ---: | ---: | ---: |");
    for (const [what, cells] of rows) {
      if (cells.length < runs.length) cells.unshift("starting");
      say(`| ${what} | ${cells.join(" | ")} |`);
    }
    say(`\n${answered} requests through the gateways meanwhile, ${failed} failed.`);
    say(
      `\n${most <= BAR_MS ? "Reached" : "NOT reached"}: no loop was held up for longer than ${most.toFixed(1)} ms, where ${BAR_MS} ms is the bar.`,
    );
    say(`\nNone worked longer than ${mostWork.toFixed(1)} ms at a stretch; the rest was another program's turn.`);
  },
};

/** @param tell of each step, how long the loop was held up */
async function measure(isRegistry, policy, tell) {
  const folder = mkdtempSync(join(tmpdir(), "portico-bench-"));
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  const upstream = createServer((_, response) => response.end("{}"));
  await new Promise((resolve) => upstream.listen(0, "0.0.0.0", resolve));
  const upstreamPort = upstream.address().port;
  const registryPort = await freePort();
  const words = ["registry", "--port", String(registryPort), "--data", join(folder, "data")];
  const registry = measured("registry", folder, isRegistry ? 0 : 1, words);
  const running = [registry];
  try {
    await untilAnswers(registryPort, "/v1/services", { child: registry.child });
    const port = await freePort();
    const config = configure(folder, policy, policies[policy], port, registryPort);
    const gateway = measured(policy, folder, isRegistry ? 1 : 0, ["start", "--config", config]);
    running.push(gateway);
    await register(agent, registryPort, 0, upstreamPort);
    await untilAnswers(port, "/things", { child: gateway.child });
    const traffic = startTraffic([port]);
    const step = async (what, work) => {
      const of = isRegistry ? registry : gateway;
      await of.read();
      await work();
      await new Promise((resolve) => setTimeout(resolve, 1_200));
      tell(what, await of.read());
    };
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const send = (method, i, path, body) =>
      ask(agent, registryPort, method, `/v1/services/things/instances/${i}${path}`, body);
    await step("nothing", () => {});
    await step(`${COUNT - 1} register`, () => each(1, COUNT, (i) => send("PUT", i, "", bodyOf(i, upstreamPort))));
    await step("1,000 drain, one after another", () =>
      each(1, 1_001, (i) => send("PUT", i, "/status", { status: "draining" })),
    );
    await step("1,000 leave", () => each(1, 1_001, (i) => send("DELETE", i, "")));
    await step("all send a heartbeat", () => each(1_001, COUNT, (i) => send("PUT", i, "/renew")));
    if (!isRegistry) {
      await step("the gateway reads the whole list anew", async () => {
        await registry.restart();
        await untilAnswers(registryPort, "/v1/services", { child: registry.child });
      });
    }
    return await traffic.stop();
  } finally {
    for (const each of running) await each.child.stop();
    upstream.close();
    upstream.closeAllConnections();
    agent.destroy();
    rmSync(folder, { recursive: true, force: true });
  }
}

const pin = (pid, cores) => spawnSync("taskset", ["-a", "-c", "-p", String(cores), String(pid)]);

function measured(name, folder, core, words) {
  const file = join(folder, `${name}.delay`);
  const all = [process.execPath, "--import", join(bench, "loop-delay.mjs"), main, ...words];
  const launch = () => start(all, core, { LOOP_DELAY_FILE: file });
  const self = {
    child: launch(),
    async restart() {
      await self.child.stop();
      self.child = launch();
    },
    async read() {
      rmSync(file, { force: true });
      process.kill(self.child.pid, "SIGUSR2");
      for (let tries = 0; !existsSync(file); tries++) {
        if (tries > 500) throw new Error(`${name} does not answer`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      return JSON.parse(readFileSync(file, "utf8"));
    },
  };
  return self;
}

function configure(folder, name, balance, port, registryPort) {
  const own = join(folder, name);
  mkdirSync(join(own, "routes"), { recursive: true });
  const paths = { "/things": { get: { responses: { 200: { description: "ok" } } } } };
  writeFileSync(
    join(own, "spec.json"),
    JSON.stringify({ openapi: "3.1.0", info: { title: name, version: "1" }, paths }),
  );
  const route = { openapi: join(own, "spec.json"), cache: { mode: "off" }, upstream: { service: "things", balance } };
  writeFileSync(join(own, "routes/route.json"), JSON.stringify(route));
  const config = { listen: { port }, registry: { url: `http://127.0.0.1:${registryPort}` } };
  writeFileSync(join(own, "portico.yaml"), JSON.stringify(config));
  return join(own, "portico.yaml");
}

const bodyOf = (i, port) => ({
  url: `http://127.0.${i >> 8}.${i & 255 || 255}:${port}`,
  zone: `zone-${i % 3}`,
  version: "1.2.3",
  metadata: { host: `host-${i}.example`, started: "2026-01-01T00:00:00Z" },
  ttlSeconds: 300,
});
const register = (agent, registryPort, i, port) =>
  ask(agent, registryPort, "PUT", `/v1/services/things/instances/${i}`, bodyOf(i, port));

/** Sixteen at a time. */
async function each(from, to, work) {
  let next = from;
  const worker = async () => {
    while (next < to) await work(next++);
  };
  await Promise.all(Array.from({ length: 16 }, worker));
}

function ask(agent, port, method, path, body) {
  return new Promise((resolve, reject) => {
    const text = body === undefined ? "" : JSON.stringify(body);
    const headers = { "content-type": "application/json", "content-length": String(Buffer.byteLength(text)) };
    request({ agent, host: "127.0.0.1", port, method, path, headers }, (response) => {
      response.resume();
      response.on("end", () => {
        if (response.statusCode < 300) resolve();
        else reject(new Error(`${method} ${path} was answered with ${response.statusCode}`));
      });
    })
      .on("error", reject)
      .end(text);
  });
}

/** A hundred requests a second to each gateway, every one under a key of its own. */
function startTraffic(ports) {
  const agent = new Agent({ keepAlive: true });
  const under = new Set();
  let [sent, answered, failed] = [0, 0, 0];
  const shoot = (port) =>
    new Promise((resolve) => {
      const headers = { "x-key": String(sent++) };
      request({ agent, host: "127.0.0.1", port, path: "/things", headers }, (response) => {
        response.resume();
        response.on("end", () => {
          if (response.statusCode === 200) answered++;
          else failed++;
          resolve();
        });
      })
        .on("error", () => {
          failed++;
          resolve();
        })
        .end();
    });
  const timer = setInterval(() => {
    for (const port of ports) {
      const one = shoot(port).then(() => under.delete(one));
      under.add(one);
    }
  }, 10);
  return {
    async stop() {
      clearInterval(timer);
      await Promise.all(under);
      agent.destroy();
      return { answered, failed };
    },
  };
}
