import assert from "node:assert/strict";
import { Agent, createServer, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";
import { resolve } from "node:path";
import { test } from "node:test";
import { createGateway } from "../../src/index.ts";
import { readDocument } from "../../src/openapi/load.ts";
import { toSpec } from "../../src/openapi/operations.ts";
import { generateRequest } from "../support/generate-request.ts";

const GITHUB = resolve("node_modules/@octokit/openapi/generated/api.github.com.json");

test("every operation of GitHub's description is reached, and the answer is the upstream's", async (t) => {
  const upstream = createServer((incoming, outgoing) => {
    incoming
      .resume()
      .on("end", () => outgoing.writeHead(299, { "x-target": `${incoming.method} ${incoming.url}` }).end());
  });
  await new Promise<void>((done) => upstream.listen(0, "127.0.0.1", done));
  t.after(() => upstream.closeAllConnections());
  t.after(() => upstream.close());
  const gateway = await createGateway({
    options: {},
    port: 0,
    routes: [
      {
        openapi: GITHUB,
        upstream: { targets: [{ url: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}` }] },
      },
    ],
  });
  const url = new URL(await gateway.listen());
  t.after(() => gateway.close());

  const { operations } = toSpec((await readDocument(GITHUB)).value, GITHUB, undefined);
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  t.after(() => agent.destroy());
  const failures: string[] = [];
  await Promise.all(
    operations.map(async (operation) => {
      const { method, target, headers, body } = generateRequest(operation);
      const answer = await send({ host: url.hostname, port: url.port, agent, method, path: target, headers }, body);
      if (answer.status !== 299 || answer.target !== `${method} ${target}`) {
        failures.push(`${operation.id}: ${method} ${target} -> ${answer.status} ${answer.text.slice(0, 300)}`);
      }
    }),
  );
  assert.deepEqual(failures, []);
  assert.ok(operations.length > 1_000, `${operations.length} operations`);
});

interface Answer {
  readonly status: number | undefined;
  readonly target: string | undefined;
  readonly text: string;
}

const send = (options: object, body: string | undefined): Promise<Answer> =>
  new Promise((done, fail) => {
    const outgoing = request(options, async (response: IncomingMessage) => {
      let text = "";
      for await (const chunk of response) text += chunk;
      done({ status: response.statusCode, target: response.headers["x-target"] as string | undefined, text });
    });
    outgoing.on("error", fail).end(body);
  });
