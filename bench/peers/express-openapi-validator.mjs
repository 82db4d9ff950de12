import { Agent } from "node:http";
import express from "express";
import validator from "express-openapi-validator";
import { createProxyMiddleware, fixRequestBody } from "http-proxy-middleware";
import { spec } from "../validated-spec.mjs";

const [, , port, upstream] = process.argv;
const app = express();
app.use(express.json());
app.use(validator.middleware({ apiSpec: spec, validateRequests: true, validateResponses: false }));
const agent = new Agent({ keepAlive: true, maxSockets: 256 });
app.use(createProxyMiddleware({ target: `http://127.0.0.1:${upstream}`, agent, on: { proxyReq: fixRequestBody } }));
app.listen(Number(port), "127.0.0.1");
