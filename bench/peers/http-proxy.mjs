import { Agent, createServer } from "node:http";
import httpProxy from "http-proxy";

const [, , port, upstream] = process.argv;
const proxy = httpProxy.createProxyServer({
  target: `http://127.0.0.1:${upstream}`,
  agent: new Agent({ keepAlive: true, maxSockets: 256 }),
});
proxy.on("error", (_error, _request, response) => response.destroy());
const server = createServer((request, response) => proxy.web(request, response));
// Five seconds by default: less than it takes to open 10,000 connections.
server.keepAliveTimeout = 60_000;
server.listen(Number(port), "127.0.0.1");
