import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { startPluginGateway } from "../support/plugin-gateway.ts";
import { until } from "../support/until.ts";

/** A file with a middleware, inside node_modules: it finds the packages that it imports. */
async function writeMiddleware(t: TestContext, text: string): Promise<string> {
  const folder = await mkdtemp(fileURLToPath(new URL("../../node_modules/.portico-express-", import.meta.url)));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, "middleware.mjs");
  await writeFile(file, text);
  return file;
}

test("helmet puts its fields on answers, on errors too, and hides what the service is made of", async (t) => {
  const gateway = await startPluginGateway(
    t,
    [{ express: { use: "helmet", options: { xFrameOptions: { action: "deny" } } } }],
    {
      service: (_, response) => response.setHeader("X-Powered-By", "Express").end("ok"),
    },
  );
  const found = await fetch(`${gateway.url}/things`);
  assert.equal(found.headers.get("x-frame-options"), "DENY");
  assert.match(found.headers.get("content-security-policy") ?? "", /default-src 'self'/);
  assert.equal(found.headers.get("x-powered-by"), null);
  assert.equal(await found.text(), "ok");
  const refused = await fetch(`${gateway.url}/things?limit=many`);
  assert.equal(refused.status, 400);
  assert.equal(refused.headers.get("x-frame-options"), "DENY");
});

test("cors answers the preflight behind another middleware, and allows the origin of a request", async (t) => {
  const gateway = await startPluginGateway(t, [
    { express: { use: "helmet" } },
    { express: { use: "cors", options: { origin: "https://shop.example", maxAge: 60 } } },
  ]);
  const headers = { Origin: "https://shop.example", "Access-Control-Request-Method": "POST" };
  const preflight = await fetch(`${gateway.url}/things`, { method: "OPTIONS", headers });
  assert.equal(preflight.status, 204);
  assert.equal(preflight.headers.get("access-control-allow-origin"), "https://shop.example");
  assert.equal(preflight.headers.get("access-control-max-age"), "60");
  assert.deepEqual(gateway.seen, []);
  const asked = await fetch(`${gateway.url}/things`, { headers: { Origin: "https://shop.example" } });
  assert.equal(asked.headers.get("access-control-allow-origin"), "https://shop.example");
  assert.equal(asked.headers.get("vary"), "Origin");
});

test("morgan writes a line for each answer, with its status and length", async (t) => {
  const log = join(await mkdtemp(join(tmpdir(), "portico-morgan-")), "access.log");
  t.after(() => rm(join(log, ".."), { recursive: true }));
  const file = await writeMiddleware(
    t,
    `import morgan from "morgan"; import { appendFileSync } from "node:fs";
     export default ({ file }) => morgan(":method :url :status :res[content-length] :remote-addr :response-time", { stream: { write: (line) => appendFileSync(file, line) } });`,
  );
  const gateway = await startPluginGateway(t, [{ express: { use: file, options: { file: log } } }], {
    service: (_, response) => Object.assign(response, { statusCode: 201 }).end("twelve bytes"),
  });
  await fetch(`${gateway.url}/things/7?a=b`);
  await until(() => existsSync(log), "a line in the log");
  assert.match(await readFile(log, "utf8"), /^GET \/things\/7\?a=b 201 12 127\.0\.0\.1 \d+\.\d+\n$/);
});

test("express-session counts visits by its cookie, and passport says who the consumer is", async (t) => {
  const sessions = { secret: "not for production", resave: false, saveUninitialized: false };
  const file = await writeMiddleware(
    t,
    `import passportModule from "passport";
     const passport = new passportModule.Passport();
     class FromQuery extends passportModule.Strategy {
       name = "query";
       authenticate(req) { req.query.user ? this.success({ id: req.query.user }) : this.fail("say who", 401); }
     }
     passport.use(new FromQuery());
     passport.serializeUser((user, done) => done(null, user.id));
     passport.deserializeUser((id, done) => done(null, { id }));
     const signIn = passport.authenticate("query");
     export default () => [passport.initialize(), passport.session(), (req, res, next) => req.isAuthenticated() ? next() : signIn(req, res, next)];`,
  );
  const gateway = await startPluginGateway(t, [
    { express: { use: "express-session", options: sessions } },
    { express: { use: file, consumer: "user.id" } },
  ]);
  const stranger = await fetch(`${gateway.url}/things`);
  assert.equal(stranger.status, 401);
  assert.deepEqual(gateway.seen, []);
  const first = await fetch(`${gateway.url}/things?user=ann`);
  assert.equal(first.status, 200);
  assert.equal(gateway.last().headers["x-consumer-name"], "ann");
  const cookie = (first.headers.getSetCookie()[0] ?? "").split(";")[0] ?? "";
  assert.match(cookie, /^connect\.sid=/);
  const second = await fetch(`${gateway.url}/things/7`, { headers: { Cookie: cookie } });
  assert.equal(second.status, 200);
  assert.equal(gateway.last().headers["x-consumer-name"], "ann");
});

test("a middleware reads the whole body and the service still has every byte of it", async (t) => {
  const file = await writeMiddleware(
    t,
    `import express from "express";
     export default [express.json(), (req, res, next) => {
       req.headers["x-name"] = req.body.name; delete req.headers["x-drop"]; next(); }];`,
  );
  const gateway = await startPluginGateway(t, [{ express: { use: file } }]);
  const body = ` {"name": "chair", "more": "${"x".repeat(80_000)}"}`;
  const headers = { "Content-Type": "application/json", "X-Drop": "1" };
  assert.equal((await fetch(`${gateway.url}/things`, { method: "POST", headers, body })).status, 200);
  assert.equal(gateway.last().text, body);
  assert.equal(gateway.last().headers["x-name"], "chair");
  assert.equal(gateway.last().headers["x-drop"], undefined);
  const broken = await fetch(`${gateway.url}/things`, { method: "POST", headers, body: "{" });
  assert.equal(broken.status, 400);
});

test("after: a middleware sees the answer, changes it, or gives another one", async (t) => {
  const file = await writeMiddleware(
    t,
    `export default function (req, res, next) {
       if (req.params.id === "gone") return res.status(410).json({ was: res.statusCode, ip: req.ip, path: req.path });
       res.set("X-Seen", res.get("X-Service")).removeHeader("X-Service"); next(); }`,
  );
  const gateway = await startPluginGateway(t, [{ express: { use: file, when: "after" } }], {
    service: (_, response) => {
      response.setHeader("X-Service", "things").write("in ");
      setImmediate(() => response.end("parts"));
    },
  });
  const kept = await fetch(`${gateway.url}/things/7`);
  assert.equal(kept.headers.get("x-seen"), "things");
  assert.equal(kept.headers.get("x-service"), null);
  assert.equal(await kept.text(), "in parts");
  const other = await fetch(`${gateway.url}/things/gone`);
  assert.equal(other.status, 410);
  assert.deepEqual(await other.json(), { was: 410, ip: "127.0.0.1", path: "/things/gone" });
});

test("a middleware that fails is a 500, and one that is not installed refuses to start", async (t) => {
  const file = await writeMiddleware(
    t,
    `export default async (req, res, next) => { throw new Error("secret detail"); };`,
  );
  const gateway = await startPluginGateway(t, [{ express: { use: file } }]);
  const failed = await fetch(`${gateway.url}/things`);
  assert.equal(failed.status, 500);
  const text = await failed.text();
  assert.match(text, /PLUGIN_FAILED/);
  assert.doesNotMatch(text, /secret detail/);
  assert.deepEqual(gateway.seen, []);
  await assert.rejects(
    startPluginGateway(t, [{ express: { use: "never-heard-of-it" } }]),
    /never-heard-of-it is not installed/,
  );
});

test("a middleware that calls next twice, or after its answer, asks the service once or not at all", async (t) => {
  const file = await writeMiddleware(
    t,
    `export default (req, res, next) => {
       if (req.query.limit === "1") res.send("mine");
       next(); setImmediate(next); next(); }`,
  );
  const gateway = await startPluginGateway(t, [{ express: { use: file } }]);
  assert.equal((await fetch(`${gateway.url}/things?limit=2`)).status, 200);
  assert.equal(await (await fetch(`${gateway.url}/things?limit=1`)).text(), "mine");
  await fetch(`${gateway.url}/things?limit=3`);
  assert.deepEqual(gateway.seen, ["GET /things?limit=2", "GET /things?limit=3"]);
});
