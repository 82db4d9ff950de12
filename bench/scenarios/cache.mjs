import { Crowd } from "../clients/crowd.mjs";
import { median, word } from "../compare.mjs";
import { load } from "../load.mjs";
import { portico } from "../portico.mjs";
import { cpuSeconds, freePort, get, start, untilAnswers } from "../process.mjs";

const CLIENTS = 1000;
const UPSTREAM_MS = 500;
const ROUNDS = 5;
/** Of the two that are a hundredth apart: short ones in turn, as a machine is not the same for a minute. */
const CONDITIONAL_ROUNDS = 12;
const ROUND_SECONDS = 1;
const WARM_UPS = 60;

/** What reuse costs and spares: a 304 beside a 200, and a thousand clients who want the same cold answer at once. */
export const scenario = {
  name: "cache",
  title: "Cache: a 304 beside a 200, and a stampede on a cold key",
  async run({ say, upstreamPort }) {
    await notModified(say, upstreamPort);
    await stampede(say);
  },
};

const text = async (port, path) => (await fetch(`http://127.0.0.1:${port}${path}`)).text();

/** The same client, with a conditional request: once what it has is old, and once it still holds. */
async function notModified(say, upstreamPort) {
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
    for (const [i, row] of rows.entries()) {
      const { statusCode } = await get(port, "/cached", fields[i]);
      if (statusCode !== Number(row.slice(0, 3))) throw new Error(`no ${row}`);
      await load({ port, path: "/cached", headers: fields[i], seconds: 1 });
    }
    for (let round = 0; round < CONDITIONAL_ROUNDS; round++) {
      for (const [i, row] of round % 2 === 0 ? [...rows.entries()] : [...rows.entries()].reverse()) {
        const before = cpuSeconds(child.pid);
        const { requests } = await load({ port, path: "/cached", headers: fields[i], seconds: ROUND_SECONDS });
        micros[row].push(((cpuSeconds(child.pid) - before) * 1e6) / requests);
      }
    }
  } finally {
    await child.stop();
  }
  const ratio = mean(micros[304]) / mean(micros[rows[1]]);
  say("| answer of 350 bytes, stored | CPU µs |");
  say("| --- | ---: |");
  for (const row of rows) say(`| ${row} | ${mean(micros[row]).toFixed(2)} |`);
  say(
    `\n${word(ratio < 1)}: a 304 is ${ratio.toFixed(2)} × the 200 that the same request would get, where less than 1 is the bar.\n`,
  );
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

async function stampede(say) {
  const upstreamPort = await freePort();
  const upstream = start(
    [process.execPath, new URL("../slow-upstream.mjs", import.meta.url).pathname, upstreamPort, UPSTREAM_MS].map(
      String,
    ),
    1,
  );
  const port = await freePort();
  const child = start(portico("missed", port, upstreamPort), 0);
  const alone = [];
  const worst = [];
  const hits = [];
  let most = 0;
  let crowd;
  try {
    await untilAnswers(upstreamPort, "/cached", { child: upstream });
    await untilAnswers(port, "/cached", { child });
    // Every client is connected before: it is the cache that is measured, not a thousand handshakes.
    crowd = await Crowd.connect(port, CLIENTS);
    // And the code of all this is compiled: a gateway that has run for a minute, not for a second.
    for (let i = 0; i < WARM_UPS; i++) await crowd.ask(`/cached?warm=${i >> 1}`);
    for (let round = 0; round < ROUNDS; round++) {
      alone.push(await crowd.ask(`/cached?alone=${round}`, 1));
      worst.push(await crowd.ask(`/cached?stampede=${round}`));
      hits.push(await crowd.ask(`/cached?stampede=${round}`));
      most = Math.max(most, Number(await text(upstreamPort, `/asked?stampede=${round}`)));
    }
  } finally {
    crowd?.close();
    await child.stop();
    await upstream.stop();
  }
  const more = median(worst.map((value, i) => value / alone[i]));
  say(`| an upstream that takes ${UPSTREAM_MS} ms | ms | upstream requests |`);
  say("| --- | ---: | ---: |");
  say(`| one client, cold key | ${median(alone).toFixed(0)} | 1 |`);
  say(`| ${CLIENTS} clients at once, warm key, the longest wait | ${median(hits).toFixed(0)} | 0 |`);
  say(`| ${CLIENTS} clients at once, cold key, the longest wait | ${median(worst).toFixed(0)} | ${most} |`);
  say(
    `\n${word(more <= 1.05 && most === 1)}: the one of ${CLIENTS} who waits longest waits ${more.toFixed(3)} × one upstream call, ` +
      `for ${most} upstream request; 1.05 is the bar.`,
  );
}
