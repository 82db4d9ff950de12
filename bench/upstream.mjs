// The one upstream of every run: as cheap as Node can, so that the gateway is what is measured.
import { createServer } from "node:http";
import { answer } from "./answer.mjs";

const small = ["Content-Type", "application/json", "Content-Length", String(answer.length)];
const cacheable = [...small, "Cache-Control", "max-age=3600"];
const megabyte = Buffer.alloc(1024 * 1024, "x");
const large = ["Content-Type", "application/octet-stream", "Content-Length", String(megabyte.length)];
// More than the sockets' own buffers take.
const sixteenMegabytes = Buffer.alloc(16 * megabyte.length, "x");
const huge = [...large.slice(0, 3), String(sixteenMegabytes.length)];

createServer((request, response) => {
  if (request.url === "/large") {
    response.writeHead(200, large);
    response.end(megabyte);
    return;
  }
  if (request.url === "/huge") {
    response.writeHead(200, huge);
    response.end(sixteenMegabytes);
    return;
  }
  if (request.url.startsWith("/bytes/")) {
    request.resume();
    request.on("end", () => response.end(Buffer.alloc(Number(request.url.slice(7)), "x")));
    return;
  }
  const isPost = request.method === "POST";
  if (isPost) request.resume();
  response.writeHead(isPost ? 201 : 200, request.url.startsWith("/cached") ? cacheable : small);
  response.end(answer);
}).listen(Number(process.argv[2]), "127.0.0.1");
