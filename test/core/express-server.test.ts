import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import express, { type Request, type Response } from "express";
import { createExpressServer } from "../../src/core/express-server.ts";

test("a request is Express's before Express sees it: nothing is given another prototype", async (t) => {
  const app = express();
  app.set("etag", false);
  const seen: object[] = [];
  app.get("/things/:id", (request: Request, response: Response) => {
    seen.push(Object.getPrototypeOf(request), Object.getPrototypeOf(response));
    assert.equal(request.app, app);
    assert.equal(response.app, app);
    response.status(201).json({ id: request.params.id, a: request.query.a, host: request.hostname });
  });
  const server = createExpressServer(app, { maxHeaderSize: 4_096 });
  t.after(() => void server.close());
  server.prependListener("request", (request, response) => {
    seen.push(Object.getPrototypeOf(request), Object.getPrototypeOf(response));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const answer = await fetch(`${url}/things/7?a=1`);
  assert.equal(answer.status, 201);
  assert.deepEqual(await answer.json(), { id: "7", a: "1", host: "127.0.0.1" });
  assert.equal(seen.length, 4);
  assert.equal(seen[0], seen[2]);
  assert.equal(seen[1], seen[3]);
  const long = await fetch(url, { headers: { "x-long": "a".repeat(8_000) } });
  assert.equal(long.status, 431);
});
