import assert from "node:assert/strict";
import { test } from "node:test";
import jwt from "../../plugins/jwt.ts";
import { testPlugin } from "../../src/testing.ts";
import { folderWith } from "../support/cli.ts";
import { forgeAll } from "../support/forged-tokens.ts";
import { startSecuredGateway } from "../support/secured-gateway.ts";
import { createSigners, SECRET, type Signer } from "../support/token-signers.ts";

const signers = createSigners();
const jwks = JSON.stringify({ keys: signers.filter(({ jwk }) => jwk !== undefined).map(({ jwk }) => jwk) });

/** Those that a header field can carry go over a socket; what a client cannot even send is handed to the plugin. */
const canTravel = (token: string): boolean => token.length < 12_000 && /^[\x21-\x7e]*$/.test(token);

async function refusesAll(
  t: Parameters<typeof startSecuredGateway>[0],
  options: Record<string, unknown>,
  own: readonly Signer[],
): Promise<number> {
  const files = { "jwks.json": jwks };
  const { get, seen } = await startSecuredGateway(
    t,
    [{ bearer: [] }],
    { security: { bearer: { jwt: options } } },
    { files },
  );
  const kit = await testPlugin(jwt, options, { folder: await folderWith(t, files) });
  t.after(() => kit.close());
  let count = 0;
  for (const signer of own) {
    assert.equal((await get({ Authorization: `Bearer ${signer.good}` })).status, 200, `${signer.alg}: a good one`);
    const before = seen.length;
    for (const [name, token] of forgeAll(signer)) {
      count++;
      const { problem, exchange, passed } = await kit.send({ headers: { Authorization: `Bearer ${token}` } });
      assert.deepEqual(
        [problem?.status, exchange.consumer, passed],
        [401, undefined, undefined],
        `${signer.alg}: ${name}`,
      );
      if (!canTravel(token)) continue;
      assert.equal(
        (await get({ Authorization: `Bearer ${token}` })).status,
        401,
        `${signer.alg}: ${name}, over a socket`,
      );
    }
    assert.equal(seen.length, before, `${signer.alg}: none of them reached the service`);
    assert.equal(
      (await get({ Authorization: `Bearer ${signer.good}` })).status,
      200,
      `${signer.alg}: and good it stays`,
    );
  }
  return count;
}

test("each of more than a thousand invalid tokens against a set of public keys is 401, and none reaches the service", async (t) => {
  const own = signers.filter(({ jwk }) => jwk !== undefined);
  const count = await refusesAll(t, { jwksFile: "jwks.json", types: ["JWT", "at+jwt"] }, own);
  assert.ok(count >= 1000, `${count} tokens`);
});

test("and each against a shared secret", async (t) => {
  const own = signers.filter(({ jwk }) => jwk === undefined);
  const count = await refusesAll(t, { secret: SECRET, types: ["JWT", "at+jwt"] }, own);
  assert.ok(count >= 100, `${count} tokens`);
});
