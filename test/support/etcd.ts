import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { EtcdClient } from "../../src/discovery/etcd-client.ts";
import { createAuthority } from "./certificates.ts";
import { eventually } from "./eventually.ts";
import { freePorts } from "./free-port.ts";
import { temporaryFolder } from "./registry.ts";

export interface EtcdNode {
  readonly url: string;
  readonly name: string;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** SIGSTOP and SIGCONT: cut off, and back. */
  pause(): void;
  resume(): void;
}

/** @returns why etcd cannot be run here, for `test({ skip })`; with CI set it has to be there */
export function etcdMissing(): string | false {
  if (spawnSync("etcd", ["--version"]).status === 0) return false;
  if (process.env.CI) throw new Error("etcd is missing: apt-get install etcd-server");
  return "needs etcd: apt-get install etcd-server";
}

/** A real etcd cluster of so many members, each a process of its own. */
export async function startEtcd(
  t: TestContext,
  members: number,
  words: readonly string[] = [],
): Promise<{ nodes: EtcdNode[]; client: EtcdClient }> {
  const folder = await temporaryFolder(t);
  const ports = await freePorts(members * 2);
  const peers = Array.from({ length: members }, (_, i) => `n${i}=http://127.0.0.1:${ports[members + i]}`).join(",");
  const nodes = Array.from({ length: members }, (_, i) => {
    const url = `http://127.0.0.1:${ports[i]}`;
    const peer = `http://127.0.0.1:${ports[members + i]}`;
    const args = ["--name", `n${i}`, "--data-dir", join(folder, `n${i}`), "--initial-cluster", peers];
    args.push("--listen-client-urls", url, "--advertise-client-urls", url);
    args.push("--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster-state", "new");
    args.push("--log-level", "error", ...words);
    const child = spawn("etcd", args, { stdio: "ignore" });
    return toNode(t, child, url, `n${i}`);
  });
  const client = new EtcdClient(nodes.map(({ url }) => url));
  t.after(() => client.close());
  for (let tries = 0; ; tries++) {
    try {
      await client.range("/ready/");
      return { nodes, client };
    } catch (error) {
      if (tries > 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

function toNode(t: TestContext, child: ChildProcess, url: string, name: string): EtcdNode {
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGCONT");
    child.kill("SIGKILL");
    await once(child, "exit");
  };
  t.after(kill);
  return { url, name, kill, pause: () => void child.kill("SIGSTOP"), resume: () => void child.kill("SIGCONT") };
}

/** The member that leads the cluster now. */
export async function findLeader(nodes: readonly EtcdNode[]): Promise<EtcdNode> {
  for (const node of nodes) {
    const response = await fetch(`${node.url}/v3/maintenance/status`, { method: "POST", body: "{}" });
    const { leader, header } = (await response.json()) as { leader: string; header: { member_id: string } };
    if (leader === header.member_id) return node;
  }
  throw new Error("no member leads");
}

/** Writes a key, as `etcdctl put` would. */
export const putKey = (client: EtcdClient, key: string, value: string): Promise<unknown> =>
  client.call("/v3/kv/put", { key: Buffer.from(key).toString("base64"), value: Buffer.from(value).toString("base64") });

export const deleteKey = (client: EtcdClient, key: string): Promise<unknown> =>
  client.call("/v3/kv/deleterange", { key: Buffer.from(key).toString("base64") });

export interface SecureEtcd {
  readonly url: string;
  /** Files. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** A real member that speaks TLS alone, asks for a client certificate, and knows the user root with this password. */
export async function startSecureEtcd(t: TestContext, password: string): Promise<SecureEtcd> {
  const folder = await temporaryFolder(t);
  const authority = createAuthority();
  const own = authority.issue("localhost", "DNS:localhost,IP:127.0.0.1");
  // etcd's JSON API refuses a certificate with a common name, lest anybody think that it stood for a user.
  const { cert, key } = authority.issue("", "DNS:client.test");
  const at = (name: string): string => join(folder, name);
  const files = { ca: at("ca.pem"), cert: at("cert.pem"), key: at("key.pem") };
  const texts = {
    "ca.pem": authority.ca,
    "cert.pem": cert,
    "key.pem": key,
    "own.pem": own.cert,
    "own-key.pem": own.key,
  };
  await Promise.all(Object.entries(texts).map(([name, text]) => writeFile(at(name), text)));
  const [port, peerPort] = await freePorts(2);
  const [url, peer] = [`https://127.0.0.1:${port}`, `http://127.0.0.1:${peerPort}`];
  const args = ["--name", "n0", "--data-dir", join(folder, "n0"), "--initial-cluster", `n0=${peer}`];
  args.push("--listen-client-urls", url, "--advertise-client-urls", url, "--listen-peer-urls", peer);
  args.push("--initial-advertise-peer-urls", peer, "--log-level", "error", "--client-cert-auth");
  args.push("--trusted-ca-file", files.ca, "--cert-file", at("own.pem"), "--key-file", at("own-key.pem"));
  toNode(t, spawn("etcd", args, { stdio: "ignore" }), url, "n0");
  const client = new EtcdClient([url], {
    ca: Buffer.from(authority.ca),
    cert: Buffer.from(cert),
    key: Buffer.from(key),
  });
  t.after(() => client.close());
  await eventually("etcd answers", () => client.range("/ready/").catch(() => false));
  await askForPassword(client, password);
  return { url, ...files };
}

/** From now on the cluster lets in the user root alone, with this password. */
export async function askForPassword(client: EtcdClient, password: string): Promise<void> {
  await client.call("/v3/auth/user/add", { name: "root", password });
  await client.call("/v3/auth/role/add", { name: "root" });
  await client.call("/v3/auth/user/grant", { user: "root", role: "root" });
  await client.call("/v3/auth/enable", {});
}
