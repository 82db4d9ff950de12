import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { load } from "../load.mjs";
import { isInstalled, native } from "../peers/native.mjs";
import { portico } from "../portico.mjs";
import { cpuSeconds, freePort, start } from "../process.mjs";

const BAR = 1;
const ROUNDS = 2;

async function untilListens(port) {
  for (let tries = 0; tries < 500; tries++) {
    const isOpen = await new Promise((resolve) => {
      const socket = connect(port, "127.0.0.1", () => resolve(true)).on("error", () => resolve(false));
      socket.on("connect", () => socket.destroy());
    });
    if (isOpen) return;
    await delay(20);
  }
  throw new Error("nobody listens");
}

export const scenario = {
  name: "tls",
  title: "TLS 1.3 with keep-alive, 350-byte answer",
  async run({ say, seconds, upstreamPort }) {
    const folder = mkdtempSync(join(tmpdir(), "portico-bench-tls-"));
    const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
    const words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=bench".split(" ");
    spawnSync("openssl", [...words, "-keyout", key, "-out", cert]);
    const tls = { cert, key, minVersion: "TLSv1.3" };
    const peers = {
      portico: (port) => portico("plain", port, upstreamPort, { tls }),
      "http-proxy": (port) => [
        process.execPath,
        new URL("../peers/http-proxy-tls.mjs", import.meta.url).pathname,
        ...[port, upstreamPort, cert, key].map(String),
      ],
      nginx: (port) => native.nginx(port, upstreamPort, { tls }),
    };
    const rows = new Map();
    for (let round = 0; round < ROUNDS; round++) {
      for (const [name, peer] of Object.entries(peers)) {
        if (name === "nginx" && !isInstalled("nginx")) continue;
        const port = await freePort();
        const child = start(peer(port), 0);
        try {
          await untilListens(port);
          const request = { port, path: "/hello", scheme: "https" };
          await load({ ...request, seconds: 3 });
          const before = cpuSeconds(child.pid);
          const result = await load({ ...request, seconds });
          const micros = ((cpuSeconds(child.pid) - before) * 1e6) / result.requests;
          rows.set(name, [...(rows.get(name) ?? []), { ...result, micros }]);
        } finally {
          await child.stop();
        }
      }
    }
    rmSync(folder, { recursive: true, force: true });
    say("| who | CPU µs/request | requests/s | p50 ms | p99 ms | failed |");
    say("| --- | ---: | ---: | ---: | ---: | ---: |");
    const best = (name) => rows.get(name).reduce((a, b) => (a.micros < b.micros ? a : b));
    for (const name of rows.keys()) {
      const { micros, perSecond, p50Ms, p99Ms, failed } = best(name);
      say(
        `| ${name} | ${micros.toFixed(1)} | ${perSecond.toFixed(0)} | ${p50Ms.toFixed(2)} | ${p99Ms.toFixed(2)} | ${failed} |`,
      );
    }
    const ratio = best("portico").micros / best("http-proxy").micros;
    say(
      `\n${ratio <= BAR ? "Reached" : "NOT reached"}: ${ratio.toFixed(2)} × http-proxy with the same certificate, where ${BAR} is the bar.`,
    );
  },
};
