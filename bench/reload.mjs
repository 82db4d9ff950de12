// Started by scenarios/reload.mjs: a gateway that reads its configuration again and again, and says on standard output
// how long that held its event loop.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { createGateway } from "../dist/src/index.js";

const GITHUB = createRequire(import.meta.url).resolve("@octokit/openapi/generated/api.github.com.json");
const RELOADS = 6;

const gateway = await createGateway({
  options: { listen: { port: 0 } },
  routes: [{ openapi: GITHUB, prefix: "", upstream: { targets: [{ url: `http://127.0.0.1:${process.argv[2]}` }] } }],
});
const url = await gateway.listen();
const delay = monitorEventLoopDelay({ resolution: 2 });
delay.enable();

/** The longest that the loop was held, less what the monitor itself waits. */
async function measure(work) {
  await new Promise((resolve) => setTimeout(resolve, 300));
  delay.reset();
  const startedAt = performance.now();
  await work();
  const tookMs = performance.now() - startedAt;
  await new Promise((resolve) => setTimeout(resolve, 50));
  return { tookMs, heldMs: Math.max(0, delay.max / 1e6 - 2) };
}

// Requests come from a process of their own: this one's loop is what is measured.
const asker = spawn(
  process.execPath,
  [
    "--input-type=module",
    "-e",
    `let requests = 0, failed = 0, isOver = false;
     process.stdin.on("data", () => { isOver = true; });
     while (!isOver) {
       requests++;
       const status = await fetch(${JSON.stringify(`${url}/meta`)}).then(async (answer) => (await answer.text(), answer.status), () => 0);
       if (status === 0 || status >= 500) failed++;
       await new Promise((resolve) => setTimeout(resolve, 2));
     }
     console.log(JSON.stringify({ requests, failed }));
     process.exit();`,
  ],
  { stdio: ["pipe", "pipe", "inherit"] },
);
let asked = "";
asker.stdout.on("data", (chunk) => {
  asked += chunk;
});
// The first two compile what all later ones run.
for (let i = 0; i < 2; i++) await gateway.reload();
const reloads = [];
for (let i = 0; i < RELOADS; i++) reloads.push(await measure(() => gateway.reload()));
const merge = await measure(() => fetch(`${url}/.well-known/openapi.json`).then((answer) => answer.arrayBuffer()));
asker.stdin.end("over");
await once(asker, "close");
await gateway.close();
process.stdout.write(JSON.stringify({ reloads, merge, ...JSON.parse(asked) }));
