// The upstream of a stampede: it takes its time, and says how often it was asked. A process of its own, as its clock
// must not wait for a thousand clients to have asked.
import { createServer } from "node:http";

const [port, slowMs] = process.argv.slice(2).map(Number);
const WARM_MS = 20;
const fields = { "Cache-Control": "max-age=3600", "Content-Length": 350 };
const asked = new Map();

createServer((request, response) => {
  if (request.url.startsWith("/asked?")) {
    response.end(String(asked.get(`/cached?${request.url.slice(7)}`) ?? 0));
    return;
  }
  asked.set(request.url, (asked.get(request.url) ?? 0) + 1);
  const ms = request.url.includes("warm") ? WARM_MS : slowMs;
  setTimeout(() => response.writeHead(200, fields).end("x".repeat(350)), ms);
}).listen(port, "127.0.0.1");
