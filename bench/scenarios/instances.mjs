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

/** How long the event loops of the registry and of watching gateways are held up while many instances come, change and go. */
export const scenario = {
  name: "instances",
  title: `${COUNT.toLocaleString("en")} instances register and are watched, the gateway in traffic`,
  async run({ say }) {
    const folder = mkdtempSync(join(tmpdir(), "portico-bench-"));
    const agent = new Agent({ keepAlive: true, maxSockets: 16 });
    const upstream = createServer((_, response) => response.end("{}"));
    await new Promise((resolve) => upstream.listen(0, "0.0.0.0", resolve));
    const registryPort = await freePort();
    const registry = measured("registry", folder, 0, [
      ...["registry", "--port", String(registryPort), "--data", join(folder, "data")],
    ]);
    const running = [registry];
    try {
      await untilAnswers(registryPort, "/v1/services", { child: registry.child });
      const gateways = await Promise.all(
        Object.entries(policies).map(async ([name, balance]) => {
          const port = await freePort();
          const gateway = measured(name, folder, 1, [
            "start",
            "--config",
            configure(folder, name, balance, port, registryPort),
          ]);
          running.push(gateway);
          return Object.assign(gateway, { port });
        }),
      );
      await register(agent, registryPort, 0, upstream.address().port);
      for (const { port, child } of gateways) await untilAnswers(port, "/things", { child });
      const traffic = startTraffic(gateways.map(({ port }) => port));
      say("| what happens | of the registry | of the gateway, round-robin | of the gateway, hash |");
      say("| --- | ---: | ---: | ---: |");
      let [most, mostWork] = [0, 0];
      const step = async (what, work, of = running) => {
        for (const each of of) await each.read();
        await work();
        await new Promise((resolve) => setTimeout(resolve, 1_500));
        const cells = [];
        for (const each of running) {
          const told = of.includes(each) ? await each.read() : undefined;
          most = Math.max(most, told?.maxMs ?? 0);
          mostWork = Math.max(mostWork, told?.workMs ?? 0);
          cells.push(
            told === undefined ? "starting" : `${told.maxMs.toFixed(1)} ms (at work: ${told.workMs.toFixed(1)})`,
          );
        }
        say(`| ${what} | ${cells.join(" | ")} |`);
      };
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      const send = (method, i, path, body) =>
        ask(agent, registryPort, method, `/v1/services/things/instances/${i}${path}`, body);
      await step("nothing", () => {});
      await step(`${COUNT - 1} register`, () =>
        each(1, COUNT, (i) => send("PUT", i, "", bodyOf(i, upstream.address().port))),
      );
      await step("1,000 drain, one after another", () =>
        each(1, 1_001, (i) => send("PUT", i, "/status", { status: "draining" })),
      );
      await step("1,000 leave", () => each(1, 1_001, (i) => send("DELETE", i, "")));
      await step("all send a heartbeat", () => each(1_001, COUNT, (i) => send("PUT", i, "/renew")));
      await step(
        "both gateways read the whole list anew",
        async () => {
          await registry.restart();
          await untilAnswers(registryPort, "/v1/services", { child: registry.child });
        },
        gateways,
      );
      const { answered, failed } = await traffic.stop();
      say(`\n${answered} requests through the gateways meanwhile, ${failed} failed.`);
      say(
        `\n${most <= BAR_MS ? "Reached" : "NOT reached"}: no loop was held up for longer than ${most.toFixed(1)} ms, where ${BAR_MS} ms is the bar.`,
      );
      say(`\nNone worked longer than ${mostWork.toFixed(1)} ms at a stretch; the rest was another program's turn.`);
    } finally {
      for (const each of running) await each.child.stop();
      upstream.close();
      upstream.closeAllConnections();
      agent.destroy();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

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
