import { readFileSync } from "node:fs";
import { Agent } from "node:http";
import { createServer } from "node:https";
import httpProxy from "http-proxy";

const [, , port, upstream, cert, key] = process.argv;
const proxy = httpProxy.createProxyServer({
  target: `http://127.0.0.1:${upstream}`,
  agent: new Agent({ keepAlive: true, maxSockets: 256 }),
});
proxy.on("error", (_error, _request, response) => response.destroy());
const tls = { cert: readFileSync(cert), key: readFileSync(key), minVersion: "TLSv1.3" };
createServer(tls, (request, response) => proxy.web(request, response)).listen(Number(port), "127.0.0.1");
