import assert from "node:assert/strict";
import { test } from "node:test";
import { hashPassword } from "../../src/core/password.ts";
import { portico } from "../support/cli.ts";
import { startSecuredGateway } from "../support/secured-gateway.ts";

const basic = (name: string, password: string): Record<string, string> => ({
  Authorization: `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`,
});

test("name and password name the consumer; anything else is 401 with a challenge", async (t) => {
  const password = await hashPassword("correct:horse é");
  const users = { ada: { password, scopes: ["things:read"], groups: ["gold"] }, bob: await hashPassword("bob") };
  const { get, seen } = await startSecuredGateway(t, [{ basic: ["things:read"] }], {
    security: { basic: { "basic-auth": { users } } },
  });
  for (let i = 0; i < 2; i++) assert.equal((await get(basic("ada", "correct:horse é"))).status, 200);
  assert.equal(seen[0]?.headers["x-consumer-name"], "ada");
  assert.equal(seen[0]?.headers.authorization, undefined);
  const missing = await get();
  assert.deepEqual([missing.status, missing.code], [401, "CREDENTIALS_MISSING"]);
  assert.equal(missing.challenge, 'Basic realm="portico", charset="UTF-8"');
  for (const headers of [
    basic("ada", "wrong"),
    basic("ada", ""),
    basic("eve", "correct:horse é"),
    basic("__proto__", "x"),
    { Authorization: "Basic !!!" },
    { Authorization: "Basic YWRh" },
  ]) {
    assert.deepEqual((await get(headers)).code, "CREDENTIALS_INVALID", JSON.stringify(headers));
  }
  assert.equal((await get({ Authorization: "Bearer x" })).code, "CREDENTIALS_MISSING");
  assert.equal((await get(basic("bob", "bob"))).status, 403);
  assert.equal(seen.length, 2);
});

test("a password in clear text keeps the gateway from starting", async (t) => {
  for (const password of [
    "secret",
    "$scrypt$ln=3,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "$argon2id$v=19$m=9999999,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
    "$argon2id$v=16$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
  ]) {
    await assert.rejects(
      startSecuredGateway(t, [{ basic: [] }], { security: { basic: { "basic-auth": { users: { ada: password } } } } }),
      /scrypt hash|argon2 hash/,
    );
  }
});

// The first is a vector of the reference implementation (phc-winner-argon2, test.c).
for (const [password, hash] of [
  ["password", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"],
  ["password", "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA"],
] as const) {
  test(`a password may stand as ${hash.split("$")[1]}`, async (t) => {
    const { get, seen } = await startSecuredGateway(t, [{ basic: [] }], {
      security: { basic: { "basic-auth": { users: { ada: hash } } } },
    });
    assert.equal((await get(basic("ada", password))).status, 200);
    assert.equal(seen[0]?.headers["x-consumer-name"], "ada");
    for (const wrong of ["Password", "passwor", ""]) assert.equal((await get(basic("ada", wrong))).status, 401);
    assert.equal(seen.length, 1);
  });
}

test("portico hash-password prints what the plugin takes", async (t) => {
  const run = portico("hash-password");
  t.after(() => run.child.kill());
  assert.equal((await run.finished).code, 2, "nothing on standard input");
});
