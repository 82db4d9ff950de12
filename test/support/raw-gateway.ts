import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { PorticoOptions, RouteOptions } from "../../src/config/schema.ts";
import { createGateway, type Gateway } from "../../src/gateway/gateway.ts";
import { type RawUpstream, startRawUpstream } from "./raw.ts";

const free = { responses: { default: { description: "Whatever the upstream says." } } };
const one = { in: "path", name: "rest", required: true, schema: { type: "string" } };

/** A spec that says nothing of its bodies: what stands between client and upstream is the gateway alone. */
export const openDocument = {
  openapi: "3.1.0",
  info: { title: "Open", version: "1" },
  paths: {
    "/": { get: free, post: free, put: free, delete: free, options: free },
    "/{rest}": { parameters: [one], get: free, post: free, put: free, delete: free, patch: free },
    "/guarded": { get: { ...free, operationId: "guarded", responses: free.responses } },
    "/socket": { get: { ...free, operationId: "socket" } },
    "/only/read": { get: free },
  },
};

export interface RawSetup {
  readonly gateway: Gateway;
  readonly base: string;
  readonly upstream: RawUpstream;
}

/** A gateway on a free port in front of an upstream that records bytes. */
export async function startRawGateway(
  t: TestContext,
  settings: { options?: PorticoOptions; route?: Partial<RouteOptions>; answer?: RawUpstream["answer"] } = {},
): Promise<RawSetup> {
  const upstream = await startRawUpstream(t, settings.answer);
  const folder = mkdtempSync(join(tmpdir(), "portico-raw-"));
  writeFileSync(join(folder, "open.json"), JSON.stringify(openDocument));
  const gateway = await createGateway({
    folder,
    port: 0,
    options: settings.options ?? {},
    routes: [
      {
        openapi: "open.json",
        upstream: { targets: [{ url: upstream.url }] },
        cache: { mode: "off" },
        ...settings.route,
      },
    ],
  });
  t.after(async () => {
    gateway.server.closeAllConnections();
    await gateway.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return { gateway, base: await gateway.listen(), upstream };
}
