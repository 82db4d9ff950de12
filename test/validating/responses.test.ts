import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { channels, type ValidationFinding } from "../../src/core/channels.ts";
import { specGateway } from "../support/spec-gateway.ts";
import { until } from "../support/until.ts";

const item = {
  type: "object",
  required: ["id"],
  properties: { id: { type: "integer" }, pin: { type: "string", writeOnly: true } },
};
const content = { "application/json": { schema: item }, "application/jsonl": { itemSchema: item } };
const document = {
  openapi: "3.2.0",
  info: { title: "Answers", version: "1" },
  paths: {
    "/a": {
      get: {
        operationId: "a",
        responses: {
          200: { description: "ok", headers: { "X-Count": { required: true, schema: { type: "integer" } } }, content },
          "4XX": { description: "no", content: { "application/problem+json": { schema: { required: ["title"] } } } },
        },
      },
    },
    "/b": {
      get: {
        operationId: "b",
        responses: { default: { description: "any", content: { "application/json": { schema: item } } } },
      },
    },
  },
};

type Answer = (response: ServerResponse) => void;
const json =
  (status: number, value: unknown, headers: object = { "x-count": "1" }): Answer =>
  (response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(value));
  };
const WRONG: Record<string, [path: string, answer: Answer, keyword: string]> = {
  "a body": ["/a", json(200, { id: "x" }), "type"],
  "a write-only member": ["/a", json(200, { id: 1, pin: "1234" }), "writeOnly"],
  "a missing header": ["/a", json(200, { id: 1 }, {}), "required"],
  "a header": ["/a", json(200, { id: 1 }, { "x-count": "many" }), "type"],
  "an undeclared status": ["/a", json(201, { id: 1 }), "status"],
  "a media type": [
    "/a",
    (response) => response.writeHead(200, { "content-type": "text/html", "x-count": "1" }).end("<p>"),
    "media-type",
  ],
  "a body of a range": [
    "/a",
    (response) => response.writeHead(404, { "content-type": "application/problem+json" }).end("{}"),
    "required",
  ],
  "a body of the default": ["/b", json(500, {}), "required"],
  "a body that is not JSON": [
    "/b",
    (response) => response.writeHead(200, { "content-type": "application/json" }).end("{"),
    "parse",
  ],
  "a compressed body": [
    "/b",
    (response) =>
      response.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" }).end(gzipSync("{}")),
    "required",
  ],
};

test("an answer that differs from the spec is refused when enforced, and only reported otherwise", async (t) => {
  const findings: ValidationFinding[] = [];
  const listen = (finding: unknown): void => {
    findings.push(finding as ValidationFinding);
  };
  channels.validation.subscribe(listen);
  t.after(() => channels.validation.unsubscribe(listen));
  let answer: Answer = json(200, {});
  const parts = { document, answer: (_: unknown, response: ServerResponse) => answer(response) };
  const enforcing = await specGateway(t, { ...parts, route: { validate: { response: "enforce" } } });
  const reporting = await specGateway(t, parts);
  for (const [name, [path, wrong, keyword]] of Object.entries(WRONG)) {
    answer = wrong;
    findings.length = 0;
    const refused = await enforcing.send("GET", path);
    assert.equal(refused.status, 502, name);
    assert.equal(refused.json.code, "RESPONSE_INVALID", name);
    assert.equal(refused.json.violations[0].keyword, keyword, name);
    const passed = await reporting.send("GET", path);
    assert.notEqual(passed.status, 502, name);
    await until(() => findings.length === 2, `${name} is reported`);
    const [, finding] = findings as [ValidationFinding, ValidationFinding];
    assert.equal((finding.violations[0] as { keyword: string }).keyword, keyword, name);
    assert.equal(finding.side, "response");
  }
});

test("an answer that matches the spec passes, enforced or not", async (t) => {
  const good = [
    json(200, { id: 1 }),
    json(200, { id: 1, more: 2 }),
    (response: ServerResponse) => response.writeHead(304).end(),
  ];
  for (const mode of ["enforce", "report", "off"] as const) {
    let answer = good[0] as Answer;
    const gateway = await specGateway(t, {
      document,
      answer: (_, response) => answer(response),
      route: { validate: { response: mode } },
    });
    for (answer of good) assert.ok((await gateway.send("GET", "/a")).status < 400, mode);
    assert.equal((await gateway.send("HEAD", "/a")).status < 400, true);
  }
});

test("a stream reaches the client while it is being checked, and its findings come later", async (t) => {
  const findings: unknown[] = [];
  const listen = (finding: unknown): void => {
    findings.push(finding);
  };
  channels.validation.subscribe(listen);
  t.after(() => channels.validation.unsubscribe(listen));
  let open: ServerResponse | undefined;
  const gateway = await specGateway(t, {
    document,
    answer: (_, response) => {
      open = response.writeHead(200, { "content-type": "application/jsonl", "x-count": "1" });
      open.write('{"id":1}\n');
    },
  });
  const response = await fetch(`${gateway.url}/a`);
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  assert.equal(Buffer.from((await reader.read()).value ?? []).toString(), '{"id":1}\n', "before the stream has ended");
  assert.equal(findings.length, 0);
  open?.end('{"id":"x"}\n');
  assert.equal(Buffer.from((await reader.read()).value ?? []).toString(), '{"id":"x"}\n');
  await until(() => findings.length === 1, "the wrong line is reported");
});

test("an enforced stream breaks off at its first wrong item", async (t) => {
  const gateway = await specGateway(t, {
    document,
    route: { validate: { response: "enforce" } },
    answer: (_, response) => {
      response.writeHead(200, { "content-type": "application/jsonl", "x-count": "1" });
      response.write('{"id":1}\n');
      setTimeout(() => response.end('{"id":"x"}\n'), 20);
    },
  });
  const response = await fetch(`${gateway.url}/a`);
  await assert.rejects(response.text());
});
