// Opens connections, sends one request on each, then requests at an even rate over all of them. `node hold.mjs port count perSecond`
// Says one line of JSON once all are open, and one every time it gets a line: what became of the requests since.
import { connect } from "node:net";

const [port, count, perSecond] = process.argv.slice(2).map(Number);
const request = Buffer.from("GET /hello HTTP/1.1\r\nHost: bench\r\n\r\n");
const idle = [];
let latencies = [];
let failed = 0;
let waiting = 0;

function open(done) {
  const socket = connect(port, "127.0.0.1");
  let sentAtMs = 0;
  let wake = done;
  const one = {
    ask(answered) {
      wake = answered;
      sentAtMs = performance.now();
      waiting++;
      socket.write(request);
    },
  };
  socket.on("connect", () => one.ask(done));
  // An answer of 350 bytes comes in one piece.
  socket.on("data", () => {
    waiting--;
    latencies.push(performance.now() - sentAtMs);
    wake(one);
  });
  socket.on("error", () => {});
  socket.on("close", () => {
    failed++;
    wake(undefined);
  });
}

const MOST_OPENING = 200;
for (let opened = 0; opened < count; opened += MOST_OPENING) {
  const batch = Math.min(MOST_OPENING, count - opened);
  const all = await Promise.all(Array.from({ length: batch }, () => new Promise(open)));
  idle.push(...all.filter((one) => one !== undefined));
}
console.log(JSON.stringify({ open: idle.length }));
latencies = [];
let at = 0;
let isSending = false;
let sinceMs = 0;
let sent = 0;
setInterval(() => {
  if (!isSending) return;
  const due = Math.floor(((performance.now() - sinceMs) * perSecond) / 1000);
  for (; sent < due && idle.length > 0 && waiting < 1000; sent++) idle[at++ % idle.length].ask(() => {});
}, 2);
process.stdin.on("data", () => {
  if (isSending) {
    const sorted = latencies.sort((a, b) => a - b);
    const of = (share) => sorted[Math.floor(sorted.length * share)] ?? 0;
    console.log(JSON.stringify({ requests: sorted.length, failed, p50Ms: of(0.5), p99Ms: of(0.99) }));
  }
  isSending = !isSending;
  sinceMs = performance.now();
  sent = 0;
});
