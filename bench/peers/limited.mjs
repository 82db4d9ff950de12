// One framework that answers by itself, with its rate limiter or without: `limited.mjs PORT UPSTREAM FRAMEWORK [limited]`.
import { createServer } from "node:http";
import limitFastify from "@fastify/rate-limit";
import express from "express";
import { rateLimit } from "express-rate-limit";
import Fastify from "fastify";
import { RateLimiterMemory } from "rate-limiter-flexible";
import { answer } from "../answer.mjs";

const [, , port, , framework, limited] = process.argv;
const LIMIT = 100_000_000;
const MINUTE_MS = 60_000;
const fields = { "Content-Type": "application/json", "Content-Length": String(answer.length) };

const frameworks = {
  express() {
    const app = express().disable("x-powered-by").disable("etag");
    if (limited)
      app.use(rateLimit({ limit: LIMIT, windowMs: MINUTE_MS, standardHeaders: "draft-8", legacyHeaders: false }));
    app.get("/hello", (_request, response) => response.writeHead(200, fields).end(answer));
    createServer(app).listen(Number(port), "127.0.0.1");
  },
  async fastify() {
    const app = Fastify();
    if (limited) await app.register(limitFastify, { max: LIMIT, timeWindow: MINUTE_MS });
    app.get("/hello", (_request, reply) => reply.headers(fields).send(answer));
    await app.listen({ port: Number(port), host: "127.0.0.1" });
  },
  flexible() {
    const limiter = new RateLimiterMemory({ points: LIMIT, duration: MINUTE_MS / 1000 });
    createServer(async (request, response) => {
      if (limited) {
        const { remainingPoints, msBeforeNext } = await limiter.consume(request.socket.remoteAddress);
        const seconds = Math.ceil(msBeforeNext / 1000);
        response.setHeader("RateLimit-Policy", `"minute";q=${LIMIT};w=60`);
        response.setHeader("RateLimit", `"minute";r=${remainingPoints};t=${seconds}`);
      }
      response.writeHead(200, fields).end(answer);
    }).listen(Number(port), "127.0.0.1");
  },
};
await frameworks[framework]();
