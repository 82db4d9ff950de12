import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { isSignedBy, toSigningKey } from "../../plugins/hmac/keys.ts";
import { parseSignature } from "../../plugins/hmac/signature-base.ts";
import hmac from "../../plugins/hmac.ts";
import { systemClock } from "../../src/core/clock.ts";
import { testPlugin } from "../../src/testing.ts";

// The keys and messages of RFC 9421, appendix B: what is signed with public keys.
const RSA_PSS = `-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAr4tmm3r20Wd/PbqvP1s2
+QEtvpuRaV8Yq40gjUR8y2Rjxa6dpG2GXHbPfvMs8ct+Lh1GH45x28Rw3Ry53mm+
oAXjyQ86OnDkZ5N8lYbggD4O3w6M6pAvLkhk95AndTrifbIFPNU8PPMO7OyrFAHq
gDsznjPFmTOtCEcN2Z1FpWgchwuYLPL+Wokqltd11nqqzi+bJ9cvSKADYdUAAN5W
Utzdpiy6LbTgSxP7ociU4Tn0g5I6aDZJ7A8Lzo0KSyZYoA485mqcO0GVAdVw9lq4
aOT9v6d+nb4bnNkQVklLQ3fVAvJm+xdDOp9LCNCN48V2pnDOkFV6+U9nV5oyc6XI
2wIDAQAB
-----END PUBLIC KEY-----`;
const ECC_P256 = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqIVYZVLCrPZHGHjP17CTW0/+D9Lf
w0EkjqF7xB4FivAxzic30tMM4GF+hR6Dxh71Z50VGGdldkkDXZCnTNnoXQ==
-----END PUBLIC KEY-----`;
const CREATED = 1_618_884_473;
const clock = { ...systemClock, nowMs: () => (CREATED + 10) * 1000 };
const message = {
  Host: "example.com",
  Date: "Tue, 20 Apr 2021 02:07:55 GMT",
  "Content-Type": "application/json",
  "Content-Digest":
    "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:",
  "Content-Length": "18",
};
const request = { method: "POST", target: "/foo?param=Value&Pet=dog" };
const MINIMAL = {
  "Signature-Input": 'sig-b21=();created=1618884473;keyid="test-key-rsa-pss";nonce="b3k2pp5k7z-50gnwp.yemd"',
  Signature:
    "sig-b21=:d2pmTvmbncD3xQm8E9ZV2828BjQWGgiwAaw5bAkgibUopemLJcWDy/lkbbHAve4cRAtx31Iq786U7it++wgGxbtRxf8Udx7zFZsckzXaJMkA7ChG52eSkFxykJeNqsrWH5S+oxNFlD4dzVuwe8DhTSja8xxbR/Z2cOGdCbzR72rgFWhzx2VjBqJzsPLMIQKhO4DGezXehhWwE56YCE+O6c0mKZsfxVrogUvA4HELjVKWmAvtl6UnCh8jYzuVG5WSb/QEVPnP5TmcAnLH1g+s++v6d4s8m0gCw1fV5/SITLq9mhho8K3+7EPYTU8IU1bLhdxO5Nyt8C8ssinQ98Xw9Q==:",
};
const vectors = {
  "B.2.2 selective": {
    "Signature-Input":
      'sig-b22=("@authority" "content-digest" "@query-param";name="Pet");created=1618884473;keyid="test-key-rsa-pss";tag="header-example"',
    Signature:
      "sig-b22=:LjbtqUbfmvjj5C5kr1Ugj4PmLYvx9wVjZvD9GsTT4F7GrcQEdJzgI9qHxICagShLRiLMlAJjtq6N4CDfKtjvuJyE5qH7KT8UCMkSowOB4+ECxCmT8rtAmj/0PIXxi0A0nxKyB09RNrCQibbUjsLS/2YyFYXEu4TRJQzRw1rLEuEfY17SARYhpTlaqwZVtR8NV7+4UKkjqpcAoFqWFQh62s7Cl+H2fjBSpqfZUJcsIk4N6wiKYd4je2U/lankenQ99PZfB4jY3I5rSV2DSBVkSFsURIjYErOs0tFTQosMTAoxk//0RoKUqiYY8Bh0aaUEb0rQl3/XaVe4bXTugEjHSw==:",
  },
  "B.2.3 full": {
    "Signature-Input":
      'sig-b23=("date" "@method" "@path" "@query" "@authority" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-rsa-pss"',
    Signature:
      "sig-b23=:bbN8oArOxYoyylQQUU6QYwrTuaxLwjAC9fbY2F6SVWvh0yBiMIRGOnMYwZ/5MR6fb0Kh1rIRASVxFkeGt683+qRpRRU5p2voTp768ZrCUb38K0fUxN0O0iC59DzYx8DFll5GmydPxSmme9v6ULbMFkl+V5B1TP/yPViV7KsLNmvKiLJH1pFkh/aYA2HXXZzNBXmIkoQoLd7YfW91kE9o/CCoC1xMy7JA1ipwvKvfrs65ldmlu9bpG6A9BmzhuzF8Eim5f8ui9eH8LZH896+QIF61ka39VBrohr9iyMUJpvRX2Zbhl5ZJzSRxpJyoEZAFL2FUo5fTIztsDZKEgM4cUA==:",
  },
};
const options = {
  components: ["@authority"],
  keys: { "test-key-rsa-pss": { consumer: "ada", publicKey: RSA_PSS, algorithm: "rsa-pss-sha512" } },
};

for (const [name, fields] of Object.entries(vectors)) {
  test(`the signature of RFC 9421 ${name} holds with its body, and no other does`, async () => {
    const { send } = await testPlugin(hmac, options, { clock });
    const body = '{"hello": "world"}';
    const { exchange, problem } = await send({ ...request, headers: { ...message, ...fields }, body });
    assert.equal(problem, undefined, problem?.detail);
    assert.equal(exchange.consumer?.name, "ada");
    const changes: { target?: string; headers?: Record<string, string>; body?: string }[] = [
      { target: "/foo?param=Value&Pet=cat" },
      { headers: { Host: "example.org" } },
      { headers: { "Content-Digest": message["Content-Digest"].replace("W", "X") } },
      { headers: { Signature: fields.Signature.replace("A", "B") } },
      { headers: { "Signature-Input": fields["Signature-Input"].replace("1618884473", "1618884474") } },
      { body: '{"hello": "there"}' },
    ];
    for (const change of changes) {
      const headers = { ...message, ...fields, ...change.headers };
      const refused = await send({ ...request, body, ...change, headers });
      assert.equal(refused.problem?.status, 401, JSON.stringify(change));
    }
  });
}

test("the signature of RFC 9421 B.2.1 holds, and covers too little to say anything of a request", async () => {
  const { send } = await testPlugin(hmac, options, { clock });
  const { exchange, problem } = await send({ ...request, headers: { ...message, ...MINIMAL } });
  assert.equal(problem?.detail, "the signature must cover @authority");
  exchange.request.headers.set("Signature-Input", MINIMAL["Signature-Input"]);
  const signed = parseSignature(exchange);
  const key = toSigningKey({ consumer: "ada", publicKey: RSA_PSS, algorithm: "rsa-pss-sha512" });
  assert.ok(signed !== undefined && isSignedBy(key, signed.base, signed.signature));
  assert.ok(!isSignedBy(key, `${signed.base} `, signed.signature));
});

test("the ECDSA signature of RFC 9421 B.2.4, of a response, holds over the base that is printed there", () => {
  const base = [
    '"@status": 200',
    '"content-type": application/json',
    '"content-digest": sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX69wWdXymyU0rjJuahq4l5aGgfLQ==:',
    '"content-length": 23',
    '"@signature-params": ("@status" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-ecc-p256"',
  ].join("\n");
  const signature = Buffer.from(
    "wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDAUy5eCdlYUEkLIj+32oiasw==",
    "base64",
  );
  const key = toSigningKey({ consumer: "ada", publicKey: ECC_P256, algorithm: "ecdsa-p256-sha256" });
  assert.ok(isSignedBy(key, base, signature));
  for (const wrong of [Buffer.alloc(64), Buffer.alloc(0), signature.subarray(1), Buffer.concat([signature, signature])])
    assert.ok(!isSignedBy(key, base, wrong));
});

test("a key of another kind or curve than its algorithm's is refused at start", async () => {
  const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-384" });
  const pem = publicKey.export({ type: "spki", format: "pem" }) as string;
  for (const [publicKey, algorithm] of [
    [pem, "ecdsa-p256-sha256"],
    [ECC_P256, "ecdsa-p384-sha384"],
    [ECC_P256, "rsa-pss-sha512"],
    [RSA_PSS, "ed25519"],
  ]) {
    const keys = { k: { consumer: "ada", publicKey, algorithm } };
    await assert.rejects(testPlugin(hmac, { keys }), /which is not for/);
  }
});
