import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** Milliseconds that a request may find the event loop busy with a reload. */
const BAR_MS = 50;

/** GitHub's description read anew while requests are answered: how long it holds them up, and whether one fails. */
export const scenario = {
  name: "reload",
  title: "Reload of GitHub's description beside requests",
  async run({ say, upstreamPort }) {
    const words = [fileURLToPath(new URL("../reload.mjs", import.meta.url)), String(upstreamPort)];
    const child = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "inherit"] });
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (chunk) => {
      text += chunk;
    });
    const [code] = await once(child, "close");
    if (code !== 0) throw new Error(`reload.mjs ended with ${code}`);
    const { reloads, merge, requests, failed } = JSON.parse(text);
    say("| what | takes, ms | event loop held at most, ms |");
    say("| --- | ---: | ---: |");
    for (const [i, { tookMs, heldMs }] of reloads.entries()) {
      say(`| reload ${i + 1} | ${tookMs.toFixed(0)} | ${heldMs.toFixed(0)} |`);
    }
    say(`| the merged document | ${merge.tookMs.toFixed(0)} | ${merge.heldMs.toFixed(0)} |`);
    const worst = Math.max(merge.heldMs, ...reloads.map(({ heldMs }) => heldMs));
    const isReached = worst <= BAR_MS && failed === 0;
    say(
      `\n${isReached ? "Reached" : "NOT reached"}: held for ${worst.toFixed(0)} ms at most, where ${BAR_MS} is the bar; ${failed} of ${requests} requests failed.`,
    );
  },
};
