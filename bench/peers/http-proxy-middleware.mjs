import { Agent } from "node:http";
import express from "express";
import { createProxyMiddleware } from "http-proxy-middleware";

const [, , port, upstream] = process.argv;
const app = express();
const agent = new Agent({ keepAlive: true, maxSockets: 256 });
app.use(createProxyMiddleware({ target: `http://127.0.0.1:${upstream}`, agent }));
app.listen(Number(port), "127.0.0.1");
