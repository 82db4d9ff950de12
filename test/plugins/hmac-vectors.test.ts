import assert from "node:assert/strict";
import { test } from "node:test";
import hmac from "../../plugins/hmac.ts";
import { systemClock } from "../../src/core/clock.ts";
import { testPlugin } from "../../src/testing.ts";

// The keys and messages of RFC 9421, appendix B.
const ED25519 = `-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=
-----END PUBLIC KEY-----`;
const SECRET = "base64:uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==";
const CREATED = 1_618_884_473;
const message = {
  Host: "example.com",
  Date: "Tue, 20 Apr 2021 02:07:55 GMT",
  "Content-Type": "application/json",
  "Content-Digest":
    "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:",
  "Content-Length": "18",
};
const vectors = {
  "B.2.5 hmac-sha256": {
    "Signature-Input": 'sig-b25=("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"',
    Signature: "sig-b25=:pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:",
  },
  "B.2.6 ed25519": {
    "Signature-Input":
      'sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"',
    Signature: "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:",
  },
};
const options = {
  components: ["@authority"],
  keys: {
    "test-shared-secret": { consumer: "ada", secret: SECRET },
    "test-key-ed25519": { consumer: "ada", publicKey: ED25519, algorithm: "ed25519" },
  },
};
const clock = { ...systemClock, nowMs: () => (CREATED + 10) * 1000 };
const request = { method: "POST", target: "/foo?param=Value&Pet=dog" };

for (const [name, fields] of Object.entries(vectors)) {
  test(`the signature of RFC 9421 ${name} holds, and no other does`, async () => {
    const { send } = await testPlugin(hmac, options, { clock });
    const { exchange, problem } = await send({ ...request, headers: { ...message, ...fields } });
    assert.equal(problem, undefined, problem?.detail);
    assert.equal(exchange.consumer?.name, "ada");
    for (const changed of [
      { Date: "Tue, 20 Apr 2021 02:07:56 GMT" },
      { Host: "example.org" },
      { "Content-Type": "text/plain" },
      { Signature: fields.Signature.replace("A", "B") },
      { "Signature-Input": fields["Signature-Input"].replace("1618884473", "1618884474") },
    ]) {
      const refused = await send({ ...request, headers: { ...message, ...fields, ...changed } });
      assert.equal(refused.problem?.status, 401, JSON.stringify(changed));
    }
  });
}

test("the body is held against the digest of the message (RFC 9530), also where the signature does not cover it", async () => {
  const { send } = await testPlugin(hmac, options, { clock });
  const fields = vectors["B.2.6 ed25519"];
  const { problem } = await send({ ...request, headers: { ...message, ...fields }, body: '{"hello": "world"}' });
  assert.equal(problem?.detail, "the signature must cover content-digest");
});
