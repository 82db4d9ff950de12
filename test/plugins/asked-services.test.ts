import assert from "node:assert/strict";
import { createServer, type IncomingMessage } from "node:http";
import { type TestContext, test } from "node:test";
import { listen } from "../support/plugin-gateway.ts";
import { startSecuredGateway } from "../support/secured-gateway.ts";

interface Authority {
  url: string;
  readonly asked: { readonly url: string; readonly headers: IncomingMessage["headers"]; readonly text: string }[];
  status: number;
  headers: Record<string, string | string[]>;
  body: string;
}

/** A service that is asked about requests, and answers as it is told. */
async function startAuthority(t: TestContext): Promise<Authority> {
  const authority: Authority = { url: "", asked: [], status: 200, headers: {}, body: "" };
  const server = createServer((request, response) => {
    let text = "";
    request.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
    request.on("end", () => {
      authority.asked.push({ url: request.url ?? "", headers: request.headers, text });
      response.writeHead(authority.status, authority.headers).end(authority.body);
    });
  });
  authority.url = await listen(server);
  t.after(() => server.close());
  return authority;
}

const introspection = (url: string, more: object = {}) => ({
  security: { bearer: { "oauth2-introspection": { url, clientId: "gate:way", clientSecret: "s&cret", ...more } } },
});
const bearer = { Authorization: "Bearer opaque-token" };

test("a token is introspected once, and its scopes count as the spec asks", async (t) => {
  const authority = await startAuthority(t);
  authority.body = JSON.stringify({ active: true, sub: "ada", scope: "read write", client_id: "app", email: "ada@x" });
  const { get, seen } = await startSecuredGateway(
    t,
    [{ bearer: ["read"] }],
    introspection(authority.url, { headers: { "X-Email": "email" } }),
  );
  const answers = await Promise.all(Array.from({ length: 10 }, () => get(bearer)));
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
  assert.equal(authority.asked.length, 1);
  assert.equal(new URLSearchParams(authority.asked[0]?.text).get("token"), "opaque-token");
  const credentials = Buffer.from(String(authority.asked[0]?.headers.authorization).slice(6), "base64").toString();
  assert.equal(credentials, "gate%3Away:s%26cret");
  assert.equal(seen[0]?.headers["x-consumer-name"], "ada");
  assert.equal(seen[0]?.headers["x-email"], "ada@x");
  assert.equal(seen[0]?.headers.authorization, undefined);
});

test("an inactive token is refused, and remembered as such", async (t) => {
  const authority = await startAuthority(t);
  authority.body = '{"active":false}';
  const { get, seen } = await startSecuredGateway(t, [{ bearer: [] }], introspection(authority.url));
  for (let i = 0; i < 3; i++) assert.equal((await get(bearer)).code, "TOKEN_INVALID");
  assert.equal(authority.asked.length, 1);
  assert.equal(seen.length, 0);
});

test("an answer that is not clearly yes is a no, and one that says nothing is 503", async (t) => {
  const authority = await startAuthority(t);
  const options = introspection(authority.url, {
    negativeSeconds: 0,
    cacheSeconds: 0,
    audience: "things",
    issuer: "https://id",
  });
  const { get, seen } = await startSecuredGateway(t, [{ bearer: [] }], options);
  const good = { active: true, sub: "ada", aud: ["things"], iss: "https://id" };
  for (const [status, body, expected] of [
    [200, JSON.stringify(good), 200],
    [200, JSON.stringify({ ...good, active: "true" }), 401],
    [200, JSON.stringify({ ...good, active: 1 }), 401],
    [200, JSON.stringify({ ...good, exp: 1 }), 401],
    [200, JSON.stringify({ ...good, exp: "9999999999" }), 401],
    [200, JSON.stringify({ ...good, nbf: 9_999_999_999 }), 401],
    [200, JSON.stringify({ ...good, aud: "other" }), 401],
    [200, JSON.stringify({ ...good, iss: "https://other" }), 401],
    [200, "{}", 401],
    [200, "null", 503],
    [200, "yes", 503],
    [401, "{}", 503],
    [500, JSON.stringify(good), 503],
    [302, JSON.stringify(good), 503],
  ] as const) {
    authority.status = status;
    authority.body = body;
    assert.equal((await get(bearer)).status, expected, `${status} ${body}`);
  }
  assert.equal(seen.length, 1);
});

test("while the endpoint is away, nothing passes", async (t) => {
  const { get, seen } = await startSecuredGateway(t, [{ bearer: [] }], introspection("http://127.0.0.1:1/"));
  assert.equal((await get(bearer)).code, "AUTH_UNAVAILABLE");
  assert.equal(seen.length, 0);
});

const forward = (url: string, more: object = {}) => ({ plugins: [{ "forward-auth": { url, ...more } }] });

test("a request passes when the service that is asked says 2xx, with the fields that it gives", async (t) => {
  const authority = await startAuthority(t);
  authority.headers = { "X-User": "ada", "X-Role": "admin" };
  const { get, seen } = await startSecuredGateway(
    t,
    [],
    forward(`${authority.url}/check`, { upstreamHeaders: ["X-User", "X-Team"], consumerHeader: "X-User" }),
  );
  const sent = { Authorization: "secret", "X-Team": "forged", "X-User": "root", "X-Other": "1" };
  assert.equal((await get(sent, "/things?limit=2")).status, 200);
  const [asked] = authority.asked;
  assert.equal(asked?.url, "/check");
  assert.equal(asked?.headers["x-forwarded-method"], "GET");
  assert.equal(asked?.headers["x-forwarded-uri"], "/things?limit=2");
  assert.equal(asked?.headers.authorization, "secret");
  assert.equal(asked?.headers["x-other"], undefined);
  assert.equal(seen[0]?.headers["x-user"], "ada");
  assert.equal(seen[0]?.headers["x-team"], undefined);
  assert.equal(seen[0]?.headers["x-role"], undefined);
  assert.equal(seen[0]?.headers["x-consumer-name"], "ada");
});

test("what the service was shown of credentials goes no further, unless the route says so", async (t) => {
  const authority = await startAuthority(t);
  const sent = { Authorization: "secret", Cookie: "session=secret", "Accept-Language": "de" };
  for (const [more, seenFields] of [
    [{}, [undefined, undefined, "de"]],
    [{ requestHeaders: ["Authorization", "Accept-Language"] }, [undefined, "session=secret", "de"]],
    [{ forwardCredential: true }, ["secret", "session=secret", "de"]],
  ] as const) {
    const { get, seen } = await startSecuredGateway(t, [], forward(authority.url, more));
    assert.equal((await get(sent)).status, 200);
    const headers = seen[0]?.headers ?? {};
    assert.deepEqual([headers.authorization, headers.cookie, headers["accept-language"]], seenFields);
  }
});

test("what the service answers otherwise is the client's answer, and its failure is 503", async (t) => {
  const authority = await startAuthority(t);
  const { get, seen } = await startSecuredGateway(t, [], forward(authority.url, { consumerHeader: "X-User" }));
  authority.status = 302;
  authority.headers = { Location: "https://login.example/", "Set-Cookie": ["a=1", "b=2"], "X-Internal": "1" };
  const redirected = await get();
  assert.equal(redirected.status, 302);
  assert.equal(redirected.headers.get("location"), "https://login.example/");
  assert.deepEqual(redirected.headers.getSetCookie(), ["a=1", "b=2"]);
  assert.equal(redirected.headers.get("x-internal"), null);
  authority.headers = {};
  authority.status = 401;
  assert.equal((await get()).status, 401);
  authority.status = 500;
  assert.deepEqual((await get()).code, "AUTH_UNAVAILABLE");
  authority.status = 200;
  assert.deepEqual((await get()).status, 403, "it names nobody");
  assert.equal(seen.length, 0);
});
