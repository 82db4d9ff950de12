import assert from "node:assert/strict";
import { createServer } from "node:http";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import jwt from "jsonwebtoken";
import { hashPassword } from "../../src/core/password.ts";
import { folderWith, portico } from "../support/cli.ts";
import { listen } from "../support/plugin-gateway.ts";
import { startSecuredGateway } from "../support/secured-gateway.ts";

const SECRET = "a secret of thirty-two bytes or more";
const token = jwt.sign({ sub: "ada" }, SECRET, { expiresIn: 3600 });
const basic = (password: string): string => `Basic ${Buffer.from(`ada:${password}`).toString("base64")}`;

interface Way {
  readonly name: string;
  readonly scheme: "bearer" | "headerKey" | "queryKey" | "cookieKey" | "basic";
  readonly plugin: object;
  readonly right: { readonly headers?: Record<string, string>; readonly target?: string };
  readonly wrong: { readonly headers?: Record<string, string>; readonly target?: string };
  /** What nobody but the gateway may see. */
  readonly secret: string;
  readonly challenge: RegExp;
}

/** Every plugin that takes a credential from a request, at every place where it may stand. */
async function ways(t: TestContext): Promise<Way[]> {
  const introspection = createServer(async (request, response) => {
    const form = new URLSearchParams((await request.setEncoding("utf8").toArray()).join(""));
    response.end(JSON.stringify({ active: form.get("token") === "opaque-token-of-ada", sub: "ada" }));
  });
  const asked = createServer((request, response) => {
    response.writeHead(request.headers.authorization === "Bearer forwarded-token" ? 200 : 401, {
      "WWW-Authenticate": "Bearer",
      "X-User": "ada",
    });
    response.end();
  });
  t.after(() => introspection.close());
  t.after(() => asked.close());
  const key = "key-of-ada-which-is-long";
  const keys = { [key]: "ada" };
  const bearer = (value: string) => ({ headers: { Authorization: `Bearer ${value}` } });
  return [
    {
      name: "jwt",
      scheme: "bearer",
      plugin: { jwt: { secret: SECRET } },
      right: bearer(token),
      wrong: bearer(`${token}x`),
      secret: token,
      challenge: /^Bearer realm="portico", error="invalid_token"/,
    },
    {
      name: "jwt in a cookie",
      scheme: "bearer",
      plugin: { jwt: { secret: SECRET, cookie: "t" } },
      right: { headers: { Cookie: `t=${token}` } },
      wrong: { headers: { Cookie: `t=${token}x` } },
      secret: token,
      challenge: /^Bearer /,
    },
    {
      name: "jwt in the query",
      scheme: "bearer",
      plugin: { jwt: { secret: SECRET, query: "t" } },
      right: { target: `/things?t=${token}` },
      wrong: { target: `/things?t=${token}x` },
      secret: token,
      challenge: /^Bearer /,
    },
    {
      name: "api-key in a header",
      scheme: "headerKey",
      plugin: { "api-key": { keys } },
      right: { headers: { "X-Key": key } },
      wrong: { headers: { "X-Key": `${key}x` } },
      secret: key,
      challenge: /^ApiKey in="header", name="x-key"$/,
    },
    {
      name: "api-key in the query",
      scheme: "queryKey",
      plugin: { "api-key": { keys } },
      right: { target: `/things?key=${key}` },
      wrong: { target: `/things?key=${key}x` },
      secret: key,
      challenge: /^ApiKey in="query", name="key"$/,
    },
    {
      name: "api-key in a cookie",
      scheme: "cookieKey",
      plugin: { "api-key": { keys } },
      right: { headers: { Cookie: `session=${key}` } },
      wrong: { headers: { Cookie: `session=${key}x` } },
      secret: key,
      challenge: /^ApiKey in="cookie", name="session"$/,
    },
    {
      name: "basic-auth",
      scheme: "basic",
      plugin: { "basic-auth": { users: { ada: await hashPassword("correct horse") } } },
      right: { headers: { Authorization: basic("correct horse") } },
      wrong: { headers: { Authorization: basic("wrong horse") } },
      secret: basic("correct horse").slice(6),
      challenge: /^Basic realm="portico", charset="UTF-8"$/,
    },
    {
      name: "oauth2-introspection",
      scheme: "bearer",
      plugin: {
        "oauth2-introspection": {
          url: await listen(introspection),
          clientId: "a",
          clientSecret: "secret-of-the-gateway",
        },
      },
      right: bearer("opaque-token-of-ada"),
      wrong: bearer("opaque-token-of-eve"),
      secret: "opaque-token-of-ada",
      challenge: /^Bearer realm="portico", error="invalid_token"/,
    },
    {
      name: "forward-auth",
      scheme: "bearer",
      plugin: { "forward-auth": { url: await listen(asked), consumerHeader: "X-User" } },
      right: bearer("forwarded-token"),
      wrong: bearer("other-token"),
      secret: "forwarded-token",
      challenge: /^Bearer$/,
    },
  ];
}

test("every way to authenticate: 401 with its challenge, the consumer for the service, and the credential for nobody", async (t) => {
  for (const { name, scheme, plugin, right, wrong, secret, challenge } of await ways(t)) {
    const { get, seen } = await startSecuredGateway(t, [{ [scheme]: [] }], { security: { [scheme]: plugin as never } });
    const missing = await get();
    assert.equal(missing.status, 401, name);
    assert.match(String(missing.challenge), new RegExp(`^${challenge.source.slice(1).split(/[ $]/)[0]}`), name);
    const refused = await get(wrong.headers, wrong.target);
    assert.equal(refused.status, 401, name);
    assert.match(String(refused.challenge), challenge, name);
    assert.equal(seen.length, 0, name);
    assert.equal((await get(right.headers, right.target)).status, 200, name);
    assert.equal(seen[0]?.headers["x-consumer-name"], "ada", name);
    assert.ok(!JSON.stringify(seen).includes(secret), `${name}: the service sees the credential`);
    assert.ok(!String(refused.detail).includes(secret), `${name}: the problem tells the credential`);
  }
});

test("no credential is written to a log, neither a right one nor a wrong one", async (t) => {
  const all = (await ways(t)).filter(({ name }) => name !== "forward-auth");
  const schemes = {
    bearer: { type: "http", scheme: "bearer" },
    headerKey: { type: "apiKey", in: "header", name: "X-Key" },
    queryKey: { type: "apiKey", in: "query", name: "key" },
    cookieKey: { type: "apiKey", in: "cookie", name: "session" },
    basic: { type: "http", scheme: "basic" },
  };
  const files: Record<string, string> = { "portico.yaml": "listen: { port: 0 }\n" };
  for (const [i, { scheme, plugin }] of all.entries()) {
    const operation = { security: [{ [scheme]: [] }], responses: { 200: { description: "ok" } } };
    files[`${i}.json`] = JSON.stringify({
      openapi: "3.1.0",
      info: { title: `Things ${i}`, version: "1" },
      paths: { "/things": { get: operation } },
      components: { securitySchemes: schemes },
    });
    // Nothing listens there: each request that is let through is a fault, which is logged.
    files[`routes/${i}.json`] = JSON.stringify({
      openapi: `../${i}.json`,
      prefix: `/${i}`,
      upstream: { targets: [{ url: "http://127.0.0.1:1" }] },
      security: { [scheme]: plugin },
    });
  }
  const folder = await folderWith(t, files);
  const running = portico("start", "--config", join(folder, "portico.yaml"));
  t.after(() => running.child.kill("SIGKILL"));
  const [, url = ""] = await running.printed(/listening on (\S+)/);
  for (const [i, { name, right, wrong }] of all.entries()) {
    const ask = async ({ headers = {}, target = "/things" }: Way["right"]): Promise<number> =>
      (await fetch(`${url}/${i}${target}`, { headers })).status;
    assert.equal(await ask(wrong), 401, name);
    assert.ok((await ask(right)) >= 500, name);
  }
  running.child.kill("SIGTERM");
  const { stdout, stderr } = await running.finished;
  const written = stdout + stderr;
  assert.ok(written.split("a request failed").length > all.length, written);
  for (const { name, secret } of all) assert.ok(!written.includes(secret), `${name} is in the log`);
  for (const secret of [SECRET, "secret-of-the-gateway", "$scrypt$"]) assert.ok(!written.includes(secret), secret);
});
