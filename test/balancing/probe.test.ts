import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Member } from "../../src/balancing/member.ts";
import { createNetworkProber } from "../../src/balancing/probe.ts";
import { instanceOf } from "../support/balancing.ts";
import { until } from "../support/load.ts";

const prober = createNetworkProber();
const member = (url: string): Member => new Member("things", instanceOf("one", { url }));

async function listen(t: TestContext, server: ReturnType<typeof createTcpServer>): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("a check asks for its path below the base path and takes the status, not the body", async (t) => {
  const seen: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    seen.push(request.url);
    response.writeHead(204).end();
  });
  const url = await listen(t, server);
  assert.equal(await prober.statusOf(member(`${url}/base/`), "/health", 5_000), 204);
  assert.deepEqual(seen, ["/base/health"]);
});

test("no answer in time, no HTTP and nobody there are all status 0, and end the connection", async (t) => {
  const sockets = new Set<unknown>();
  const silent = createTcpServer((socket) => {
    sockets.add(socket.resume());
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
  });
  const url = await listen(t, silent);
  assert.equal(await prober.statusOf(member(url), "/", 50), 0);
  await until("its connection has ended", () => sockets.size === 0);
  const rude = await listen(
    t,
    createTcpServer((socket) => socket.on("error", () => {}).end("nonsense\r\n\r\n")),
  );
  assert.equal(await prober.statusOf(member(rude), "/", 5_000), 0);
  assert.equal(await prober.statusOf(member("http://127.0.0.1:1"), "/", 5_000), 0);
});

test("a connection is enough where no path is checked", async (t) => {
  const url = await listen(
    t,
    createTcpServer((socket) => socket.on("error", () => {})),
  );
  assert.equal(await prober.canConnect(member(url), 5_000), true);
  assert.equal(await prober.canConnect(member("http://127.0.0.1:1"), 5_000), false);
  assert.equal(await prober.canConnect(member("http://192.0.2.1:80"), 50), false);
});

test("a check over https trusts what the route's traffic trusts", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "portico-test-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const words = "req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=things -addext subjectAltName=DNS:things.test";
  const made = spawnSync("openssl", [
    ...words.split(" "),
    "-keyout",
    join(folder, "key"),
    "-out",
    join(folder, "cert"),
  ]);
  if (made.status !== 0) {
    assert.ok(process.env.CI === undefined, "openssl is missing");
    t.skip("openssl is missing: apt-get install openssl");
    return;
  }
  const [key, cert] = await Promise.all([readFile(join(folder, "key")), readFile(join(folder, "cert"))]);
  const url = await listen(
    t,
    createTlsServer({ key, cert }, (_, response) => response.end()),
  );
  const https = member(url.replace("http:", "https:"));
  assert.equal(await prober.statusOf(https, "/", 5_000), 0);
  assert.equal(await createNetworkProber({ ca: cert, serverName: "things.test" }).statusOf(https, "/", 5_000), 200);
  assert.equal(await createNetworkProber({ ca: cert, serverName: "other.test" }).statusOf(https, "/", 5_000), 0);
});
