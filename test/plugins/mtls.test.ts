import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { createServer, request } from "node:https";
import { type TestContext, test } from "node:test";
import mtls from "../../plugins/mtls.ts";
import { type TestResult, testPlugin } from "../../src/testing.ts";
import { type Certificate, createAuthority, missingOpenssl } from "../support/certificates.ts";
import { listen } from "../support/plugin-gateway.ts";

const skip = missingOpenssl();
const authority = skip === undefined ? createAuthority() : undefined;

/** What the plugin makes of a connection with this certificate, or none. */
async function connect(t: TestContext, options: Record<string, unknown>, client?: Certificate): Promise<TestResult> {
  const { send } = await testPlugin(mtls, options);
  const own = authority?.issue("localhost", "DNS:localhost,IP:127.0.0.1");
  const result = new Promise<TestResult>((resolve, reject) => {
    const server = createServer(
      { ...own, ca: authority?.ca, requestCert: true, rejectUnauthorized: false },
      (incoming, response) => {
        send({ incoming }).then(resolve, reject);
        response.end();
      },
    );
    t.after(() => server.close());
    void listen(server).then((url) => {
      const options = { ...client, ca: authority?.ca, agent: false };
      request(url.replace("http:", "https:"), options, (response) => response.resume())
        .on("error", reject)
        .end();
    });
  });
  return result;
}

test("a certificate of the trusted authority names the consumer, by any of its names", { skip }, async (t) => {
  const client = authority?.issue(
    "ada",
    "DNS:Ada.Example.com,URI:spiffe://example/ada,email:ada@example.com",
  ) as Certificate;
  const fingerprint = new X509Certificate(client.cert).fingerprint256;
  assert.equal((await connect(t, {}, client)).exchange.consumer?.name, "ada");
  for (const key of [
    "cn:ada",
    "dns:ada.example.com",
    "uri:spiffe://example/ada",
    "email:ada@example.com",
    `sha256:${fingerprint}`,
    `sha256:${fingerprint.replaceAll(":", "").toLowerCase()}`,
  ]) {
    assert.equal((await connect(t, { consumers: { [key]: "found" } }, client)).exchange.consumer?.name, "found", key);
  }
  const other = await connect(t, { consumers: { "cn:eve": "eve" } }, client);
  assert.deepEqual([other.problem?.code, other.passed], ["CREDENTIALS_INVALID", undefined]);
});

test("no certificate, or one of another authority, is nobody", { skip }, async (t) => {
  const stranger = createAuthority().issue("ada", "DNS:ada.example.com");
  for (const client of [undefined, stranger]) {
    const { problem, passed } = await connect(t, {}, client);
    assert.deepEqual([problem?.status, problem?.code, passed], [401, "CREDENTIALS_MISSING", undefined]);
  }
});

test("a plain connection is nobody", async () => {
  const { send } = await testPlugin(mtls, {});
  assert.equal((await send()).problem?.code, "CREDENTIALS_MISSING");
});
