import assert from "node:assert/strict";
import { test } from "node:test";
import express from "express";
import request from "supertest";
import { startRawGateway } from "../support/raw-gateway.ts";

async function mounted(t: Parameters<typeof startRawGateway>[0]): Promise<express.Express> {
  const { gateway } = await startRawGateway(t);
  const app = express();
  app.use(gateway.middleware);
  app.get("/own/page", (_request, response) => {
    response.send("own");
  });
  return app;
}

test("an Express app with the gateway in it answers from the upstream", async (t) => {
  const response = await request(await mounted(t)).get("/a");
  assert.equal(response.status, 200);
  assert.equal(response.text, "OK");
});

test("what no operation matches goes on to the app, and to its own 404", async (t) => {
  const app = await mounted(t);
  assert.equal((await request(app).get("/own/page")).text, "own");
  const unknown = await request(app).get("/no/such");
  assert.equal(unknown.status, 404);
  assert.match(unknown.text, /Cannot GET/);
});

test("the gateway works under a path of the app", async (t) => {
  const { gateway, upstream } = await startRawGateway(t);
  const app = express().use("/api", gateway.middleware);
  assert.equal((await request(app).post("/api/a").send("x=1")).status, 200);
  assert.match(upstream.requests[0] ?? "", /^POST \/a HTTP\/1\.1\r\n[\s\S]*x=1$/);
});
