// Sends requests at an even rate, whatever becomes of those before. `node steady.mjs port connections perSecond`
// Says one line of JSON once all connections are open, and one for every second line it gets: what became of the requests since
// the first. A request that finds every connection busy waits for one, and that wait is part of its latency.
import { connect } from "node:net";

const [port, connections, perSecond] = process.argv.slice(2).map(Number);
const request = Buffer.from("GET /hello HTTP/1.1\r\nHost: bench\r\n\r\n");
const EVERY_MS = 1;
const idle = [];
const due = [];
let latencies = [];
let failed = 0;

class Client {
  #socket;
  #dueAtMs = 0;
  #received = "";

  constructor(onOpen) {
    this.#socket = connect({ port, host: "127.0.0.1", noDelay: true }, () => onOpen());
    this.#socket.on("data", (chunk) => this.#read(chunk.toString("latin1")));
    this.#socket.on("error", () => {});
    this.#socket.on("close", () => failed++);
  }

  ask(dueAtMs) {
    this.#dueAtMs = dueAtMs;
    this.#socket.write(request);
  }

  #read(text) {
    this.#received += text;
    const end = this.#received.indexOf("\r\n\r\n");
    if (end < 0) return;
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(this.#received)?.[1]);
    if (this.#received.length < end + 4 + length) return;
    if (!this.#received.startsWith("HTTP/1.1 200 ")) failed++;
    this.#received = "";
    latencies.push(performance.now() - this.#dueAtMs);
    const next = due.shift();
    if (next === undefined) idle.push(this);
    else this.ask(next);
  }
}

for (let i = 0; i < connections; i++) {
  await new Promise((resolve) => idle.push(new Client(resolve)));
}
console.log(JSON.stringify({ open: idle.length }));
let isSending = false;
let sinceMs = 0;
let sent = 0;
setInterval(() => {
  if (!isSending) return;
  const nowMs = performance.now();
  for (const until = Math.floor(((nowMs - sinceMs) * perSecond) / 1000); sent < until; sent++) {
    const client = idle.shift();
    if (client === undefined) due.push(nowMs);
    else client.ask(nowMs);
  }
}, EVERY_MS);
process.stdin.on("data", () => {
  if (isSending) {
    const sorted = Float64Array.from(latencies).sort();
    const of = (share) => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
    console.log(
      JSON.stringify({ requests: sorted.length, failed, p50Ms: of(0.5), p99Ms: of(0.99), p999Ms: of(0.999) }),
    );
  }
  isSending = !isSending;
  latencies = [];
  failed = 0;
  sinceMs = performance.now();
  sent = 0;
});
