import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { ask, DOCUMENT, type Got } from "./cached-service.ts";
import { folderWith, portico } from "./cli.ts";
import { eventually } from "./eventually.ts";

/** A real `portico start` in a process of its own. */
export interface GatewayProcess {
  readonly url: string;
  readonly admin: string;
  /** Its portico.yaml, which tells `portico purge` where it is. */
  readonly config: string;
  /** Every process is asked for the same host, so that they share what they store. */
  get(path: string, headers?: Record<string, string>): Promise<Got>;
  /** Whether the path is answered from the cache, in one try. */
  isHit(path: string): Promise<boolean>;
  /** As by `kill -9`. */
  kill(): Promise<void>;
}

export const ADMIN_TOKEN = "only these tests know it";

/** What every path with `large` in it is answered with. */
export const LARGE = "0123456789".repeat(50_000);

/** Gateways in processes of their own in front of one service, with one store. Answers carry the tag `orders`. */
export async function startGatewayProcesses(
  t: TestContext,
  count: number,
  store: (folder: string) => object,
): Promise<GatewayProcess[]> {
  const service = createServer((request, response: ServerResponse) => {
    const body = request.url?.includes("large") ? LARGE : "kept";
    const fields = { "Cache-Control": "max-age=600", "Cache-Tag": "orders", ETag: '"one"' };
    response.writeHead(200, { ...fields, "Content-Length": body.length }).end(body);
  });
  service.listen(0, "127.0.0.1");
  await once(service, "listening");
  t.after(() => service.close());
  const target = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
  const folder = await folderWith(t, {
    "orders.json": JSON.stringify({
      ...DOCUMENT,
      paths: { "/orders": DOCUMENT.paths["/orders"], "/orders/{id}": DOCUMENT.paths["/orders/{id}"] },
    }),
    "routes/orders.json": JSON.stringify({ openapi: "../orders.json", upstream: { targets: [{ url: target }] } }),
  });
  return Promise.all(Array.from({ length: count }, (_, i) => startOne(t, folder, `gateway-${i}`, store(folder))));
}

async function startOne(t: TestContext, folder: string, name: string, store: object): Promise<GatewayProcess> {
  const config = join(folder, `${name}.yaml`);
  const port = await freePort();
  const options = { listen: { port: 0 }, admin: { port, token: ADMIN_TOKEN }, routes: join(folder, "routes"), store };
  await writeFile(config, JSON.stringify(options));
  const run = portico("start", "--config", config);
  const kill = async (): Promise<void> => {
    run.child.kill("SIGKILL");
    await run.finished;
  };
  t.after(kill);
  const [, url = ""] = await run.printed(/listening on (\S+)/);
  const get: GatewayProcess["get"] = (path, headers = {}) =>
    ask(url, "GET", path, { Host: "shared.example", ...headers }, undefined);
  return {
    url,
    admin: `http://127.0.0.1:${port}`,
    config,
    get,
    kill,
    isHit: async (path) => (await get(path)).cache.startsWith("Portico; hit"),
  };
}

/** Waits until each of them answers the path from the cache. */
export async function warm(gateways: readonly GatewayProcess[], path: string): Promise<void> {
  for (const gateway of gateways) await eventually(`${path} is stored`, () => gateway.isHit(path));
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
}
