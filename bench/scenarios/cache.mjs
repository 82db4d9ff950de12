import { createServer } from "node:http";
import { Crowd } from "../clients/crowd.mjs";
import { median, word } from "../compare.mjs";
import { load } from "../load.mjs";
import { portico } from "../portico.mjs";
import { cpuSeconds, freePort, get, start, untilAnswers } from "../process.mjs";

const CLIENTS = 1000;
const UPSTREAM_MS = 500;
const ROUNDS = 3;
const WARM_UPS = 60;

/** What reuse costs and spares: a 304 beside a 200, and a thousand clients who want the same cold answer at once. */
export const scenario = {
  name: "cache",
  title: "Cache: a 304 beside a 200, and a stampede on a cold key",
  async run({ say, seconds, upstreamPort }) {
    await notModified(say, seconds, upstreamPort);
    await stampede(say);
  },
};

/** The same client, with a conditional request: once what it has is old, and once it still holds. */
async function notModified(say, seconds, upstreamPort) {
  const port = await freePort();
  const child = start(portico("cached", port, upstreamPort), 0);
  const rows = ["200", "200 to a conditional request", "304"];
  const micros = Object.fromEntries(rows.map((row) => [row, []]));
  try {
    await untilAnswers(port, "/cached", { child });
    await load({ port, path: "/cached", seconds: 4 });
    // Without Last-Modified the date of the answer counts (RFC 9111 §4.3.2).
    const { date } = (await get(port, "/cached")).headers;
    const old = new Date(Date.parse(date) - 1000).toUTCString();
    const fields = [{}, { "If-Modified-Since": old }, { "If-Modified-Since": date }];
    for (let round = 0; round < ROUNDS; round++) {
      for (const [i, row] of rows.entries()) {
        const headers = fields[i];
        if ((await get(port, "/cached", headers)).statusCode !== Number(row.slice(0, 3))) throw new Error(`no ${row}`);
        const before = cpuSeconds(child.pid);
        const { requests } = await load({ port, path: "/cached", headers, seconds });
        micros[row].push(((cpuSeconds(child.pid) - before) * 1e6) / requests);
      }
    }
  } finally {
    await child.stop();
  }
  const ratio = median(micros[304].map((value, i) => value / micros[rows[1]][i]));
  say("| answer of 350 bytes, stored | CPU µs |");
  say("| --- | ---: |");
  for (const row of rows) say(`| ${row} | ${median(micros[row]).toFixed(1)} |`);
  say(
    `\n${word(ratio < 1)}: a 304 is ${ratio.toFixed(2)} × the 200 that the same request would get, where less than 1 is the bar.\n`,
  );
}

async function stampede(say) {
  let asked = 0;
  const slow = createServer((request, response) => {
    asked++;
    const fields = { "Cache-Control": "max-age=3600", "Content-Length": 350 };
    const ms = request.url.includes("warm") ? 20 : UPSTREAM_MS;
    setTimeout(() => response.writeHead(200, fields).end("x".repeat(350)), ms);
  });
  await new Promise((resolve) => slow.listen(0, "127.0.0.1", resolve));
  const port = await freePort();
  const child = start(portico("missed", port, slow.address().port), 0);
  const alone = [];
  const worst = [];
  const hits = [];
  let most = 0;
  let crowd;
  try {
    await untilAnswers(port, "/cached", { child });
    // Every client is connected before: it is the cache that is measured, not a thousand handshakes.
    crowd = await Crowd.connect(port, CLIENTS);
    // And the code of all this is compiled: a gateway that has run for a minute, not for a second.
    for (let i = 0; i < WARM_UPS; i++) await crowd.ask(`/cached?warm=${i >> 1}`);
    for (let round = 0; round < ROUNDS; round++) {
      alone.push(await crowd.ask(`/cached?alone=${round}`, 1));
      asked = 0;
      worst.push(await crowd.ask(`/cached?stampede=${round}`));
      hits.push(await crowd.ask(`/cached?stampede=${round}`));
      most = Math.max(most, asked);
    }
  } finally {
    crowd?.close();
    await child.stop();
    slow.close();
  }
  const more = median(worst.map((value, i) => value / alone[i]));
  say(`| an upstream that takes ${UPSTREAM_MS} ms | ms | upstream requests |`);
  say("| --- | ---: | ---: |");
  say(`| one client, cold key | ${median(alone).toFixed(0)} | 1 |`);
  say(`| ${CLIENTS} clients at once, warm key, the last of them | ${median(hits).toFixed(0)} | 0 |`);
  say(`| ${CLIENTS} clients at once, cold key, the last of them | ${median(worst).toFixed(0)} | ${most} |`);
  say(
    `\n${word(more <= 1.05 && most === 1)}: the last of ${CLIENTS} waits ${more.toFixed(3)} × one upstream call, ` +
      `for ${most} upstream request; 1.05 is the bar.`,
  );
}
