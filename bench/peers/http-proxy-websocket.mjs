import { createServer } from "node:http";
import httpProxy from "http-proxy";

const [, , port, upstream] = process.argv;
const proxy = httpProxy.createProxyServer({ target: `http://127.0.0.1:${upstream}`, ws: true });
proxy.on("error", (_error, _request, response) => response.destroy());
const server = createServer((request, response) => proxy.web(request, response));
server.on("upgrade", (request, socket, head) => proxy.ws(request, socket, head));
server.listen(Number(port), "127.0.0.1");
