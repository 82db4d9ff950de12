import assert from "node:assert/strict";
import { test } from "node:test";
import { sendRaw } from "../support/raw.ts";
import { startRawGateway } from "../support/raw-gateway.ts";

// ATTACKS B 16 to 20, G 54 and 55: what only the gateway may say, only the gateway says.

const get = (fields: string): string => `GET /a HTTP/1.1\r\nHost: api.test:8080\r\n${fields}\r\n`;

/** The values of a field in a recorded request. */
const valuesOf = (request: string | undefined, name: string): string[] =>
  [...(request ?? "").matchAll(new RegExp(`\\r\\n${name}: ([^\\r]*)`, "gi"))].map((match) => match[1] as string);

test("fields of one hop, and those that Connection names, go no further", async (t) => {
  const { base, upstream } = await startRawGateway(t);
  const fields = [
    "Connection: keep-alive, X-Secret, X-Forwarded-For, Authorization",
    "Keep-Alive: timeout=9",
    "Proxy-Connection: keep-alive",
    "Proxy-Authorization: Basic eDp5",
    "TE: trailers",
    "HTTP2-Settings: AAMAAABk",
    "X-Secret: 1",
    "Authorization: Bearer 1",
    "X-Kept: 1",
  ];
  await sendRaw(base, get(`${fields.join("\r\n")}\r\n`), { answers: 1 });
  const [request] = upstream.requests;
  for (const name of ["Keep-Alive", "Proxy-.*", "TE", "HTTP2-Settings", "X-Secret", "Authorization"]) {
    assert.deepEqual(valuesOf(request, name), [], name);
  }
  assert.deepEqual(valuesOf(request, "X-Kept"), ["1"]);
  assert.deepEqual(valuesOf(request, "X-Forwarded-For"), ["127.0.0.1"]);
});

test("what a client says of itself is replaced by what the gateway knows", async (t) => {
  const { base, upstream } = await startRawGateway(t);
  const names = [
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Forwarded-Port",
    "X-Forwarded-Prefix",
    "Forwarded",
    "X-Real-IP",
    "True-Client-IP",
    "X-Consumer-Name",
    "X-Original-URL",
    "X-Rewrite-URL",
    "X-HTTP-Method-Override",
    "X_Real_IP",
    "X_Forwarded_For",
  ];
  await sendRaw(base, get(names.map((name) => `${name}: evil\r\n`).join("")), { answers: 1 });
  const [request] = upstream.requests;
  assert.doesNotMatch(request ?? "", /evil/);
  assert.deepEqual(valuesOf(request, "X-Forwarded-For"), ["127.0.0.1"]);
  assert.deepEqual(valuesOf(request, "X-Forwarded-Host"), ["api.test:8080"]);
  assert.deepEqual(valuesOf(request, "X-Forwarded-Proto"), ["http"]);
  assert.deepEqual(valuesOf(request, "Forwarded"), ['for=127.0.0.1;host="api.test:8080";proto=http']);
  assert.deepEqual(valuesOf(request, "Host"), [new URL(upstream.url).host]);
});

test("a trusted proxy's word is continued", async (t) => {
  const { base, upstream } = await startRawGateway(t, { options: { trustedProxies: ["127.0.0.0/8", "10.0.0.1"] } });
  const fields =
    "X-Forwarded-For: 6.6.6.6, 192.0.2.7, 10.0.0.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: www.test\r\n";
  await sendRaw(base, get(fields), { answers: 1 });
  const [request] = upstream.requests;
  assert.deepEqual(valuesOf(request, "X-Forwarded-For"), ["6.6.6.6, 192.0.2.7, 10.0.0.1, 127.0.0.1"]);
  assert.deepEqual(valuesOf(request, "X-Forwarded-Proto"), ["https"]);
  assert.deepEqual(valuesOf(request, "X-Forwarded-Host"), ["www.test"]);
});

/** What a trusted proxy sends: the hops, scheme and host that the service is then told in both forms. */
const told: [string, string, string, string][] = [
  ["X-Forwarded-For: 192.0.2.7", "192.0.2.7", "for=192.0.2.7", "http"],
  ["Forwarded: for=192.0.2.7;proto=https;host=x.test", "192.0.2.7", "for=192.0.2.7;proto=https;host=x.test", "https"],
  ['Forwarded: For="[2001:db8::1]:47"', "2001:db8::1", 'For="[2001:db8::1]:47"', "http"],
  ["X-Forwarded-For: 2001:db8::1", "2001:db8::1", 'for="[2001:db8::1]"', "http"],
  ["X-Forwarded-For: 192.0.2.7, _b, <x>", "192.0.2.7, _b, <x>", "for=192.0.2.7, for=_b, for=unknown", "http"],
  ["Forwarded: for=_a, by=10.0.0.2;proto=https", "_a, unknown", "for=_a, by=10.0.0.2;proto=https", "http"],
  [
    "Forwarded: for=192.0.2.7;proto=https, for=10.0.0.1;proto=http",
    "192.0.2.7, 10.0.0.1",
    "for=192.0.2.7;proto=https, for=10.0.0.1;proto=http",
    "https",
  ],
  [
    "X-Forwarded-For: 192.0.2.7\r\nForwarded: for=192.0.2.7;proto=https",
    "192.0.2.7",
    "for=192.0.2.7;proto=https",
    "https",
  ],
  ["X-Forwarded-For: 192.0.2.7\r\nForwarded: for=6.6.6.6;host=evil", "192.0.2.7", "for=192.0.2.7", "http"],
  ["X-Forwarded-For: 192.0.2.7\r\nForwarded: for=6.6.6.6;for=192.0.2.7", "192.0.2.7", "for=192.0.2.7", "http"],
];
for (const [fields, list, standard, scheme] of told) {
  test(`X-Forwarded-For and Forwarded tell the same after ${fields.replace("\r\n", " and ")}`, async (t) => {
    const { base, upstream } = await startRawGateway(t, { options: { trustedProxies: ["127.0.0.1", "10.0.0.1"] } });
    await sendRaw(base, get(`${fields}\r\n`), { answers: 1 });
    const [request] = upstream.requests;
    assert.deepEqual(valuesOf(request, "X-Forwarded-For"), [`${list}, 127.0.0.1`]);
    const own = `for=127.0.0.1;host="api.test:8080";proto=${scheme}`;
    assert.deepEqual(valuesOf(request, "Forwarded"), [`${standard}, ${own}`]);
    assert.deepEqual(valuesOf(request, "X-Forwarded-Proto"), [scheme]);
  });
}

test("of a trusted proxy, too, only what can be understood is continued", async (t) => {
  const { base, upstream } = await startRawGateway(t, { options: { trustedProxies: ["127.0.0.1"] } });
  const fields = "Forwarded: for=1;;garbage\r\nX-Forwarded-Proto: javascript\r\nX-Forwarded-Host: a b, c\r\n";
  await sendRaw(base, get(fields), { answers: 1 });
  const [request] = upstream.requests;
  assert.deepEqual(valuesOf(request, "Forwarded"), ['for=127.0.0.1;host="api.test:8080";proto=http']);
  assert.deepEqual(valuesOf(request, "X-Forwarded-For"), ["127.0.0.1"]);
  assert.deepEqual(valuesOf(request, "X-Forwarded-Proto"), ["http"]);
  assert.deepEqual(valuesOf(request, "X-Forwarded-Host"), ["api.test:8080"]);
});

test("the upstream sees the client's Host where the route says so", async (t) => {
  const { base, upstream } = await startRawGateway(t, { route: { preserveHost: true } });
  await sendRaw(base, get(""), { answers: 1 });
  assert.deepEqual(valuesOf(upstream.requests[0], "Host"), ["api.test:8080"]);
});

test("a gateway that is its own upstream answers 508 after one round", async (t) => {
  let base = "";
  const setup = await startRawGateway(t, {
    async answer(request, socket) {
      const { text } = await sendRaw(base, request, { answers: 1 });
      socket.write(text, "latin1");
    },
  });
  base = setup.base;
  const { statuses } = await sendRaw(base, get(""), { answers: 1 });
  assert.deepEqual(statuses, [508]);
  assert.equal(setup.upstream.requests.length, 1);
});

test("a redirect of the upstream is passed on, never followed, and nothing tells who we are", async (t) => {
  const { base, upstream } = await startRawGateway(t, {
    answer: (_request, socket) =>
      socket.write(
        "HTTP/1.1 302 Found\r\nLocation: http://internal.test/x\r\nConnection: X-Hop\r\nX-Hop: 1\r\nContent-Length: 0\r\n\r\n",
      ),
  });
  const { text, statuses } = await sendRaw(base, get(""), { answers: 1 });
  assert.deepEqual(statuses, [302]);
  assert.match(text, /\r\nLocation: http:\/\/internal\.test\/x\r\n/);
  assert.doesNotMatch(text, /X-Hop|\r\nServer:|X-Powered-By/i);
  assert.equal(upstream.requests.length, 1);
});
