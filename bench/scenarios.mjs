import { createHmac } from "node:crypto";
import { fileURLToPath } from "node:url";
import { native } from "./peers/native.mjs";
import { github, portico, SECRET } from "./portico.mjs";
import { order } from "./validated-spec.mjs";

const peer =
  (name, ...more) =>
  (port, upstream) => [
    process.execPath,
    fileURLToPath(new URL(`./peers/${name}.mjs`, import.meta.url)),
    String(port),
    String(upstream),
    ...more,
  ];
const ours = (name) => (port, upstream) => portico(name, port, upstream);
const installed = (name, options) => ({
  needs: name === "varnish" ? "varnishd" : name,
  words: (port, upstream) => native[name](port, upstream, options),
});

const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const unsigned = `${part({ alg: "HS256", typ: "JWT" })}.${part({ sub: "ada", exp: 4_102_444_800, scope: "repo" })}`;
const token = `${unsigned}.${createHmac("sha256", SECRET).update(unsigned).digest("base64url")}`;

/** Each: what is sent, and who answers it; the first is Portico. `bars`: the ratio to a peer that must not be passed. */
export const scenarios = [
  {
    name: "plain",
    title: "Plain proxying, 350-byte answer",
    request: { path: "/hello" },
    rounds: 3,
    peers: {
      portico: { words: ours("plain") },
      "http-proxy": { words: peer("http-proxy") },
      "undici (bare)": { words: peer("bare-undici") },
      "fast-gateway": { words: peer("fast-gateway") },
      "@fastify/http-proxy": { words: peer("fastify-http-proxy") },
      "http-proxy-middleware": { words: peer("http-proxy-middleware") },
      "express-gateway": { words: peer("express-gateway") },
      caddy: installed("caddy"),
      nginx: installed("nginx"),
      haproxy: installed("haproxy"),
    },
    bars: { "http-proxy": 0.58, caddy: 0.7 },
  },
  {
    name: "full",
    title: "Full stack: 1,223-operation spec, validation, JWT, rate limit, CORS, request id, metrics",
    request: { path: "/repos/octo/hello/issues?per_page=30&state=open", headers: { Authorization: `Bearer ${token}` } },
    rounds: 3,
    peers: { portico: { words: ours("full") }, "http-proxy (bare)": { words: peer("http-proxy") } },
    bars: { "http-proxy (bare)": 0.65 },
  },
  {
    name: "post",
    title: "POST with a 2 KB JSON body, validated",
    request: {
      path: "/orders?dryRun=true",
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: order,
    },
    ready: "/orders",
    rounds: 2,
    peers: {
      portico: { words: ours("orders") },
      "fastify-openapi-glue + reply-from": { words: peer("fastify-openapi-glue") },
      "express-openapi-validator + http-proxy-middleware": { words: peer("express-openapi-validator") },
      prism: { words: peer("prism") },
      "http-proxy (validates nothing)": { words: peer("http-proxy") },
    },
    bars: {},
  },
  {
    name: "hit",
    title: "Cache hit, 350-byte answer",
    request: { path: "/cached" },
    rounds: 3,
    peers: {
      portico: { words: ours("cached") },
      "node:http (bare)": { words: peer("node-http") },
      nginx: installed("nginx", { cache: true }),
      varnish: installed("varnish"),
    },
    bars: { "node:http (bare)": 1.25, varnish: 1, nginx: 1.3 },
  },
  {
    name: "stream",
    title: "1 MB response, streamed",
    request: { path: "/large", connections: 64 },
    rounds: 2,
    peers: {
      portico: { words: ours("plain") },
      "http-proxy": { words: peer("http-proxy") },
      nginx: installed("nginx"),
    },
    bars: {},
  },
];

/** From the start of the process to the first answer, with GitHub's description. */
export const startUp = {
  name: "github",
  title: "GitHub's API description, from start to first answer",
  path: "/repos/octo/hello/issues?per_page=30",
  peers: { portico: { words: ours("github") }, prism: { words: peer("prism", github) } },
};
