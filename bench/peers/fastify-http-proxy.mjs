import httpProxy from "@fastify/http-proxy";
import Fastify from "fastify";

const [, , port, upstream] = process.argv;
const app = Fastify();
app.register(httpProxy, { upstream: `http://127.0.0.1:${upstream}`, undici: { connections: 256, pipelining: 1 } });
await app.listen({ port: Number(port), host: "127.0.0.1" });
