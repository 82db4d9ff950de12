import assert from "node:assert/strict";
import { Agent, createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { resolve } from "node:path";
import { type TestContext, test } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import type { Operation, Schema } from "../../src/core/operation.ts";
import { createGateway } from "../../src/index.ts";
import { readDocument } from "../../src/openapi/load.ts";
import { toSpec } from "../../src/openapi/operations.ts";
import { valueFor, type Wish } from "../support/request-values.ts";
import { type WrittenParameters, writeParameter } from "../support/write-parameter.ts";

const GITHUB = resolve("node_modules/@octokit/openapi/generated/api.github.com.json");
/** Of 1,223 operations: enough to meet every kind of schema in seconds. */
const EVERY = 8;
const FULL: Wish = { isFull: true, branch: 0 };
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
}

async function githubGateway(t: TestContext): Promise<(sent: Sent, body?: string) => Promise<number>> {
  const upstream = createServer((incoming, outgoing) => {
    incoming.resume().on("end", () => outgoing.writeHead(299).end());
  });
  await new Promise<void>((done) => upstream.listen(0, "127.0.0.1", done));
  const url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  const routes = [{ openapi: GITHUB, upstream: { targets: [{ url }] } }];
  const gateway = await createGateway({ options: {}, port: 0, routes });
  const { hostname, port } = new URL(await gateway.listen());
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  t.after(async () => {
    agent.destroy();
    await gateway.close();
    upstream.closeAllConnections();
    upstream.close();
  });
  return (sent, body) =>
    new Promise((done, fail) => {
      const headers =
        body === undefined ? sent.headers : { ...sent.headers, "content-length": Buffer.byteLength(body) };
      request({ hostname, port, agent, ...sent, headers }, (response) => {
        response.resume().on("end", () => done(response.statusCode ?? 0));
      })
        .on("error", fail)
        .end(body);
    });
}

/** A request with every parameter and member that the description has, or undefined where none could be made up. */
function fullRequest(operation: Operation, isValid: (schema: Schema, value: unknown) => boolean) {
  const written: WrittenParameters = { path: operation.publicPath, query: [], headers: {}, cookies: [] };
  for (const parameter of operation.parameters) {
    const schema = operation.spec.bundle(parameter.schema ?? true);
    const value = valueFor(schema, FULL);
    const isGood = isValid(schema, plain(value)) && writeParameter(parameter, value, written);
    if (!isGood && parameter.required) return undefined;
  }
  const media = operation.requestBody?.content.find(({ type }) => type === "application/json");
  const schema = media?.schema === undefined ? undefined : operation.spec.bundle(media.schema);
  const value = schema === undefined ? undefined : plain(valueFor(schema, FULL));
  if (schema !== undefined && !isValid(schema, value)) return undefined;
  if (schema !== undefined) written.headers["content-type"] = "application/json";
  const query = written.query.length === 0 ? "" : `?${written.query.join("&")}`;
  const sent: Sent = { method: operation.method, path: written.path + query, headers: written.headers };
  return { sent, schema, value };
}

test("requests made from GitHub's schemas are accepted, and refused once a member is wrong", async (t) => {
  const send = await githubGateway(t);
  const ajv = new Ajv2020({ strict: false, logger: false, validateSchema: false, validateFormats: false });
  const isValid = (schema: Schema, value: unknown): boolean => ajv.validate(schema as object, value) === true;
  const { operations } = toSpec((await readDocument(GITHUB)).value, GITHUB, undefined);
  const failures: string[] = [];
  let [accepted, refused] = [0, 0];
  for (const operation of operations.filter((_, i) => i % EVERY === 0)) {
    const made = fullRequest(operation, isValid);
    if (made === undefined) continue;
    const { sent, schema, value } = made;
    const body = schema === undefined ? undefined : JSON.stringify(value);
    const status = await send(sent, body);
    if (status !== 299) failures.push(`${status} refused: ${sent.method} ${sent.path} ${body}`);
    accepted++;
    for (const wrong of schema === undefined ? [] : withOneMemberWrong(value)) {
      if (isValid(schema as Schema, wrong)) continue;
      const text = JSON.stringify(wrong);
      const answer = await send(sent, text);
      if (answer !== 400) failures.push(`${answer} accepted: ${sent.method} ${sent.path} ${text}`);
      refused++;
    }
  }
  assert.deepEqual(failures, []);
  assert.ok(accepted > 100, `${accepted} accepted`);
  assert.ok(refused > 100, `${refused} refused`);
});

/** The value with each member replaced by what few schemas allow, and with each left out. */
function withOneMemberWrong(value: unknown): unknown[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [{ wrong: [true] }];
  return Object.keys(value).flatMap((name) => {
    const { [name]: _, ...without } = value as Record<string, unknown>;
    return [{ ...value, [name]: { wrong: [true] } }, { ...value, [name]: 0.5 }, without];
  });
}
