import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { PorticoOptions, RouteOptions } from "../../src/config/schema.ts";
import { createGateway, type Gateway } from "../../src/gateway/gateway.ts";

const DOCUMENT = {
  openapi: "3.1.0",
  info: { title: "Things", version: "1" },
  paths: {
    "/things": {
      get: {
        operationId: "listThings",
        responses: { 200: { description: "ok", content: { "application/json": { example: { from: "the spec" } } } } },
      },
      post: { operationId: "addThing", responses: { 201: { description: "made" } } },
      put: { operationId: "putThings", responses: { 200: { description: "put" } } },
    },
    "/things/{id}": {
      get: {
        operationId: "getThing",
        parameters: [{ name: "id", in: "path", required: true, schema: { type: "string" } }],
        responses: { 200: { description: "ok" } },
      },
    },
  },
};

export interface BalancedGateway {
  readonly url: string;
  readonly gateway: Gateway;
}

/** A gateway with one route, balanced and retried as the route says; nothing is cached. It ends with the test. */
export async function startBalancedGateway(
  t: TestContext,
  route: Partial<RouteOptions>,
  options: PorticoOptions = {},
): Promise<BalancedGateway> {
  const folder = await mkdtemp(join(tmpdir(), "portico-test-"));
  let gateway: Gateway | undefined;
  // In this order: a gateway that runs may still write what it knows of its instances.
  t.after(async () => {
    await gateway?.close();
    await rm(folder, { recursive: true, force: true });
  });
  await writeFile(join(folder, "things.json"), JSON.stringify(DOCUMENT));
  gateway = await createGateway({
    options,
    routes: [{ openapi: "things.json", cache: { mode: "off" }, ...route }],
    folder,
    port: 0,
  });
  return { url: await gateway.listen(), gateway };
}
