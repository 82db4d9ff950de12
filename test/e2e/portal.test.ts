import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { chromium, type Page } from "playwright-core";
import { createGateway } from "../../src/index.ts";
import { needs } from "../support/needs.ts";

/** A browser on the portal of a gateway before a service that answers every list with one pet. */
async function openPortal(t: TestContext): Promise<{ page: Page; seen: string[] }> {
  const seen: string[] = [];
  const service = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    response.writeHead(200, { "Content-Type": "application/json" }).end('[{"id":1,"name":"Rex"}]');
  });
  await new Promise<void>((resolve) => service.listen(0, "127.0.0.1", resolve));
  t.after(() => service.close());
  const target = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
  const gateway = await createGateway({
    options: { listen: { port: 0 } },
    routes: [
      {
        openapi: "openapi/petstore.yaml",
        prefix: "/petstore",
        security: "upstream",
        upstream: { targets: [{ url: target }] },
      },
    ],
  });
  t.after(() => gateway.close());
  const url = await gateway.listen();
  const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"];
  args.push("--disable-background-networking", "--disable-component-update", "--disable-sync");
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args });
  t.after(() => browser.close());
  const page = await browser.newPage();
  await page.goto(`${url}/portal`);
  return { page, seen };
}

test("a person finds an operation in the portal and sends a real request from the page", {
  skip: needs("chromium"),
}, async (t) => {
  const { page, seen } = await openPortal(t);
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(error.message));
  await page.getByText("List pets").click();
  await page.getByPlaceholder("limit").fill("2");
  await page.getByRole("button", { name: "Execute" }).click();
  await page.locator(".live-responses-table .response-col_status", { hasText: "200" }).waitFor();
  assert.match(await page.locator(".live-responses-table").innerText(), /Rex/);
  assert.deepEqual(seen, ["GET /pets?limit=2"]);
  assert.deepEqual(problems, []);
});
