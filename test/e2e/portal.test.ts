import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { type TestContext, test } from "node:test";
import { chromium, type Locator, type Page } from "playwright-core";
import { createGateway } from "../../src/index.ts";
import { folderWith } from "../support/cli.ts";
import { needs } from "../support/needs.ts";

type Route = { readonly openapi: string; readonly prefix?: string };
const PETSTORE: Route = { openapi: "openapi/petstore.yaml", prefix: "/petstore" };

/** A browser on the portal of a gateway before a service that answers every request with one pet. */
async function openPortal(t: TestContext, route = PETSTORE): Promise<{ page: Page; seen: string[]; url: string }> {
  const seen: string[] = [];
  const service = createServer((request, response) => {
    const { authorization, "x-key": key } = request.headers;
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => {
      body += text;
    });
    request.on("end", () => {
      seen.push([request.method, request.url, key, authorization, body].filter(Boolean).join(" "));
      response.writeHead(200, { "Content-Type": "application/json" }).end('[{"id":1,"name":"Rex"}]');
    });
  });
  await new Promise<void>((resolve) => service.listen(0, "127.0.0.1", resolve));
  t.after(() => service.close());
  const target = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
  const gateway = await createGateway({
    options: { listen: { port: 0 } },
    routes: [{ ...route, security: "upstream", upstream: { targets: [{ url: target }] } }],
  });
  t.after(() => gateway.close());
  const url = await gateway.listen();
  const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"];
  args.push("--disable-background-networking", "--disable-component-update", "--disable-sync");
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args });
  t.after(() => browser.close());
  const page = await browser.newPage();
  await page.goto(`${url}/portal`);
  return { page, seen, url };
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

const operation = (summary: string, more: object): object => ({
  summary,
  responses: { 200: { description: "ok" } },
  ...more,
});
const parameter = (name: string, schema: object, more: object): object => ({ name, in: "query", schema, ...more });

test("arrays, deep objects, partial segments, uploads, keys and tokens go from the page as the document says", {
  skip: needs("chromium"),
}, async (t) => {
  const folder = await folderWith(t, {
    "api.json": JSON.stringify({
      openapi: "3.1.0",
      info: { title: "Everything", version: "1" },
      paths: {
        "/items/{id}.json": {
          get: operation("Partial segment", {
            security: [{ key: [] }],
            parameters: [
              { name: "id", in: "path", required: true, schema: { type: "integer" }, example: 7 },
              parameter("tags", { type: "array", items: { type: "string" } }, { example: ["a", "b c"] }),
              parameter(
                "filter",
                { type: "object", properties: { from: { type: "integer" } } },
                { style: "deepObject", explode: true, example: { from: 1 } },
              ),
            ],
          }),
        },
        "/upload": {
          post: operation("Upload", {
            security: [{ bearer: [] }],
            requestBody: {
              content: {
                "multipart/form-data": {
                  schema: { type: "object", properties: { file: { type: "string", format: "binary" } } },
                },
              },
            },
          }),
        },
      },
      components: {
        securitySchemes: {
          key: { type: "apiKey", in: "header", name: "X-Key" },
          bearer: { type: "openIdConnect", openIdConnectUrl: "https://id.example/.well-known/openid-configuration" },
        },
      },
    }),
  });
  const { page, seen } = await openPortal(t, { openapi: join(folder, "api.json"), prefix: "/all" });
  const block = (summary: string): Locator =>
    page.locator(".opblock").filter({ has: page.getByText(summary, { exact: true }) });
  await page.locator("button.authorize").first().click();
  for (const [scheme, value] of [
    ["key", "k1"],
    ["bearer", "token"],
  ] as const) {
    const form = page.locator(".auth-container").filter({ has: page.locator("code", { hasText: scheme }) });
    await form.locator("input").fill(value);
    await form.locator("button.authorize").click();
  }
  await page.locator(".btn-done").first().click();
  for (const summary of ["Partial segment", "Upload"]) {
    await page.getByText(summary, { exact: true }).click();
    if (summary === "Upload") {
      const file = { name: "a.txt", mimeType: "text/plain", buffer: Buffer.from("hello") };
      await block(summary).locator("input[type=file]").setInputFiles(file);
    }
    await block(summary).getByRole("button", { name: "Execute" }).click();
    await block(summary).locator(".live-responses-table .response-col_status", { hasText: "200" }).waitFor();
  }
  assert.equal(seen[0], "GET /items/7.json?tags=a&tags=b%20c&filter%5Bfrom%5D=1 k1");
  assert.match(seen[1] ?? "", /^POST \/upload Bearer token -+.*name="file"; filename="a.txt".*hello/s);
});

test("GitHub's 1,223 operations are a list that is searched, and one of them is shown and sent", {
  skip: needs("chromium"),
}, async (t) => {
  const { page, seen } = await openPortal(t, {
    openapi: resolve("node_modules/@octokit/openapi/generated/api.github.com.json"),
    prefix: "",
  });
  await page.getByRole("searchbox").fill("create issue comment");
  await page.getByRole("button", { name: "Create an issue comment" }).click();
  await page.getByPlaceholder("owner").fill("me");
  await page.getByPlaceholder("repo").fill("mine");
  await page.getByPlaceholder("issue_number").fill("7");
  await page.getByRole("button", { name: "Execute" }).click();
  await page.locator(".live-responses-table .response-col_status", { hasText: "200" }).waitFor();
  assert.match(seen[0] ?? "", /^POST \/repos\/me\/mine\/issues\/7\/comments \{\s+"body": "Me too"/);
  await page.getByRole("searchbox").fill("zen");
  await page.getByRole("button", { name: "Get the Zen of GitHub" }).click();
  await page.locator(".opblock-get").getByRole("button", { name: "Execute" }).click();
  await page.locator(".live-responses-table .response-col_status", { hasText: "200" }).waitFor();
  assert.equal(seen[1], "GET /zen");
});

test("nothing that a description says runs in the page", { skip: needs("chromium") }, async (t) => {
  const evil = `<img src=x onerror="window.ran=1"><script>window.ran=1</script><a href="javascript:window.ran=1">x</a>`;
  const tag = `t${evil}`;
  const folder = await folderWith(t, {
    "evil.json": JSON.stringify({
      openapi: "3.1.0",
      info: { title: `Evil ${evil}`, version: evil, description: `# Hi ${evil} [x](javascript:window.ran=1)` },
      externalDocs: { url: "javascript:window.ran=1", description: evil },
      tags: [{ name: tag, description: evil }],
      paths: {
        "/a": {
          get: operation("Look", {
            tags: [tag],
            description: evil,
            operationId: evil,
            parameters: [parameter(evil, { type: "string", enum: [evil, "b"] }, { description: evil })],
          }),
        },
        [`/${evil}`]: { get: operation(evil, {}) },
      },
    }),
  });
  const { page } = await openPortal(t, { openapi: join(folder, "evil.json"), prefix: "/evil" });
  await page.getByText("Look", { exact: true }).click();
  await page.getByRole("button", { name: "Execute" }).waitFor();
  assert.equal(await page.evaluate("window.ran"), undefined);
  assert.equal(await page.locator("a[href^='javascript']").count(), 0);
});
