import { Agent, createServer, request } from "node:http";
import { median, word } from "../compare.mjs";
import { load } from "../load.mjs";
import { portico } from "../portico.mjs";
import { cpuSeconds, freePort, get, start, untilAnswers } from "../process.mjs";

const CLIENTS = 1000;
const UPSTREAM_MS = 500;
const ROUNDS = 3;

/** What reuse costs and spares: a 304 beside a 200, and a thousand clients who want the same cold answer at once. */
export const scenario = {
  name: "cache",
  title: "Cache: a 304 beside a 200, and a stampede on a cold key",
  async run({ say, seconds, upstreamPort }) {
    await notModified(say, seconds, upstreamPort);
    await stampede(say);
  },
};

async function notModified(say, seconds, upstreamPort) {
  const port = await freePort();
  const child = start(portico("cached", port, upstreamPort), 0);
  const micros = { 200: [], 304: [] };
  try {
    await untilAnswers(port, "/cached", { child });
    await load({ port, path: "/cached", seconds: 4 });
    const { date } = (await get(port, "/cached")).headers;
    for (let round = 0; round < ROUNDS; round++) {
      for (const status of [200, 304]) {
        // Without Last-Modified the date of the answer counts (RFC 9111 §4.3.2).
        const headers = status === 304 ? { "If-Modified-Since": date } : {};
        if ((await get(port, "/cached", headers)).statusCode !== status) throw new Error(`no ${status}`);
        const before = cpuSeconds(child.pid);
        const { requests } = await load({ port, path: "/cached", headers, seconds });
        micros[status].push(((cpuSeconds(child.pid) - before) * 1e6) / requests);
      }
    }
  } finally {
    await child.stop();
  }
  const ratio = median(micros[304].map((value, i) => value / micros[200][i]));
  say("| answer of 350 bytes, stored | CPU µs |");
  say("| --- | ---: |");
  for (const status of [200, 304]) say(`| ${status} | ${median(micros[status]).toFixed(1)} |`);
  say(`\n${word(ratio < 1)}: a 304 is ${ratio.toFixed(2)} × a 200, where less than 1 is the bar.\n`);
}

async function stampede(say) {
  let asked = 0;
  const slow = createServer((_request, response) => {
    asked++;
    setTimeout(() => response.writeHead(200, { "Cache-Control": "max-age=3600" }).end("x".repeat(350)), UPSTREAM_MS);
  });
  await new Promise((resolve) => slow.listen(0, "127.0.0.1", resolve));
  const port = await freePort();
  const child = start(portico("missed", port, slow.address().port), 0);
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
  const alone = [];
  const worst = [];
  const hits = [];
  let most = 0;
  try {
    await untilAnswers(port, "/cached", { child });
    // Every client is connected before: it is the cache that is measured, not a thousand handshakes.
    await Promise.all(Array.from({ length: CLIENTS }, () => timed(agent, port, "/cached")));
    for (let round = 0; round < ROUNDS; round++) {
      alone.push(await timed(agent, port, `/cached?alone=${round}`));
      asked = 0;
      const all = Array.from({ length: CLIENTS }, () => timed(agent, port, `/cached?stampede=${round}`));
      worst.push(Math.max(...(await Promise.all(all))));
      const again = Array.from({ length: CLIENTS }, () => timed(agent, port, `/cached?stampede=${round}`));
      hits.push(Math.max(...(await Promise.all(again))));
      most = Math.max(most, asked);
    }
  } finally {
    agent.destroy();
    await child.stop();
    slow.close();
  }
  const more = median(worst.map((value, i) => value / (alone[i] + hits[i])));
  say(`| an upstream that takes ${UPSTREAM_MS} ms | ms | upstream requests |`);
  say("| --- | ---: | ---: |");
  say(`| one client, cold key | ${median(alone).toFixed(0)} | 1 |`);
  say(`| ${CLIENTS} clients at once, warm key, the last of them | ${median(hits).toFixed(0)} | 0 |`);
  say(`| ${CLIENTS} clients at once, cold key, the last of them | ${median(worst).toFixed(0)} | ${most} |`);
  say(
    `\n${word(more <= 1.05 && most === 1)}: the last of ${CLIENTS} waits ${more.toFixed(2)} × one upstream call and ` +
      `${CLIENTS} answers from the cache, for ${most} upstream request; 1.05 is the bar.`,
  );
}

function timed(agent, port, path) {
  const from = performance.now();
  return new Promise((resolve, reject) => {
    request({ agent, port, host: "127.0.0.1", path }, (response) => {
      response.resume().on("end", () => resolve(performance.now() - from));
    })
      .on("error", reject)
      .end();
  });
}
