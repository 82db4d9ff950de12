import assert from "node:assert/strict";
import { test } from "node:test";
import { bodyDocument, specGateway } from "../support/spec-gateway.ts";

const thing = { type: "object", required: ["id"], properties: { id: { type: "integer" } } };
const body = (...parts: [head: string, body: string][]): string =>
  `${parts.map(([head, text]) => `--B\r\n${head}${head === "" ? "" : "\r\n"}\r\n${text}\r\n`).join("")}--B--\r\n`;
const JSON_PART = "Content-Type: application/json";

const MIXED: Record<string, [media: object, accepted: string[], refused: [body: string, pointer: string][]]> = {
  "parts by itemSchema": [
    { itemSchema: thing },
    [body([JSON_PART, '{"id":1}'], [JSON_PART, '{"id":2}']), body()],
    [
      [body([JSON_PART, '{"id":1}'], [JSON_PART, "{}"]), "/1/id"],
      [body(["Content-Type: text/plain", "x"]), "/0"],
    ],
  ],
  "parts by a schema of a list": [
    { schema: { type: "array", maxItems: 1, items: thing } },
    [body([JSON_PART, '{"id":1}'])],
    [
      [body([JSON_PART, '{"id":1}'], [JSON_PART, '{"id":1}']), ""],
      [body([JSON_PART, '{"id":"x"}']), "/0/id"],
    ],
  ],
  "parts by their places": [
    {
      schema: { type: "array", prefixItems: [thing, { type: "string" }] },
      prefixEncoding: [
        { contentType: "application/json" },
        { contentType: "image/png, image/gif", headers: { "X-Size": { required: true, schema: { type: "integer" } } } },
      ],
      itemEncoding: { contentType: "text/csv" },
    },
    [
      body(
        ["", '{"id":1}'],
        ["Content-Type: image/gif\r\nX-Size: 3", "\u0001\u0002"],
        ["Content-Type: text/csv", "a,b"],
      ),
    ],
    [
      [body([JSON_PART, "{}"]), "/0/id"],
      [body([JSON_PART, '{"id":1}'], ["Content-Type: image/bmp\r\nX-Size: 3", "x"]), "/1"],
      [body([JSON_PART, '{"id":1}'], ["Content-Type: image/png", "x"]), "/X-Size"],
      [body([JSON_PART, '{"id":1}'], ["Content-Type: image/png\r\nX-Size: 1", "x"], [JSON_PART, "1"]), "/2"],
    ],
  ],
  "named parts of an object, as 3.0 has them": [
    { schema: { type: "object", properties: { a: { type: "integer" }, b: thing } } },
    [body(['Content-Disposition: form-data; name="a"', "1"]), body(["Content-ID: <x>", "a"])],
    [[body([`Content-Disposition: form-data; name="b"\r\n${JSON_PART}`, "{}"]), "/b/id"]],
  ],
};

test("parts without names are checked one by one, by their places", async (t) => {
  for (const [name, [media, accepted, refused]] of Object.entries(MIXED)) {
    const document = { ...bodyDocument({ "multipart/mixed": media }), openapi: "3.2.0" };
    const gateway = await specGateway(t, { document });
    const headers = { "content-type": "multipart/mixed; boundary=B" };
    for (const good of accepted) {
      const { status, text } = await gateway.send("POST", "/", { headers, body: good });
      assert.equal(status, 200, `${name}: ${good} ${text}`);
    }
    for (const [bad, pointer] of refused) {
      const { status, json } = await gateway.send("POST", "/", { headers, body: bad });
      assert.equal(status, 400, `${name}: ${bad}`);
      assert.equal(json.violations[0].pointer, pointer, `${name}: ${bad}`);
    }
    assert.equal((await gateway.send("POST", "/", { headers, body: "--B\r\n\r\nx" })).status, 400, name);
  }
});

test("lines of an event end in any way, and records may have lines of their own", async (t) => {
  const twoFields = { type: "object", required: ["event", "data"] };
  const rows: [type: string, itemSchema: object, accepted: string[], refused: string[]][] = [
    [
      "text/event-stream",
      twoFields,
      ["event: a\r\ndata: 1\r\n\r\n", "event: a\rdata: 1\r\revent: b\rdata: 2\r\r", "event: a\ndata: 1\r\n\n"],
      ["event: a\r\n\r\ndata: 1\r\n\r\n"],
    ],
    ["application/json-seq", thing, ['\u001e{\n"id": 1\n}\n\u001e{"id":2}\n'], ['\u001e{\n"id": "x"\n}\n']],
  ];
  for (const [type, itemSchema, accepted, refused] of rows) {
    const document = { ...bodyDocument({ [type]: { itemSchema } }), openapi: "3.2.0" };
    const gateway = await specGateway(t, { document });
    const send = (text: string) => gateway.send("POST", "/", { headers: { "content-type": type }, body: text });
    for (const good of accepted) assert.equal((await send(good)).status, 200, JSON.stringify(good));
    for (const bad of refused) assert.equal((await send(bad)).status, 400, JSON.stringify(bad));
  }
});

const STREAMS: [type: string, first: string, next: string, wrong: string][] = [
  ["text/event-stream", "data: 1\r\nid: a\r\n\r\n", "data: 2\r\nid: b\r\n\r\n", "data: 3\r\n\r\n"],
  ["application/json-seq", '\u001e{\n"id": 1 }\n', '\u001e{ "id":\n2 }\n', '\u001e{ "id":\n"x" }\n'],
  ["application/jsonl", '{"id":1}\n', '{"id":2}\n', `{"id":3,"note":"${"x".repeat(3_000)}`],
];

test("an enforced stream flows item by item, however its lines end, and breaks off at a wrong or endless one", async (t) => {
  for (const [type, first, next, wrong] of STREAMS) {
    const itemSchema = type === "text/event-stream" ? { required: ["id"] } : thing;
    const document = {
      openapi: "3.2.0",
      info: { title: "Stream", version: "1" },
      paths: {
        "/": { get: { responses: { 200: { description: "", content: { [type]: { itemSchema } } } } } },
      },
    };
    let send: (text: string) => void = () => {};
    const gateway = await specGateway(t, {
      document,
      options: { limits: { bodyBytes: 2_048 } },
      route: { validate: { response: "enforce" }, cache: { mode: "off" } },
      answer: (_, response) => {
        send = (text) => response.write(text);
        response.writeHead(200, { "content-type": type });
        response.write(first);
      },
    });
    const response = await fetch(gateway.url);
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    const read = async (): Promise<string> => Buffer.from((await reader.read()).value ?? []).toString();
    assert.equal(await read(), first, type);
    send(next);
    assert.equal(await read(), next, type);
    send(wrong);
    await assert.rejects(read(), type);
  }
});

// The example of OpenAPI 3.2 §4.14.6.3.
const itemSchema = {
  type: "object",
  required: ["event"],
  properties: { event: { type: "string" }, data: { type: "string" } },
  oneOf: [
    { properties: { event: { const: "addString" } } },
    {
      properties: {
        event: { const: "addInt64" },
        data: { contentMediaType: "application/json", contentSchema: { type: "integer", format: "int64" } },
      },
    },
    {
      properties: {
        event: { const: "addJson" },
        data: { contentMediaType: "application/json", contentSchema: { $ref: "#/components/schemas/Thing" } },
      },
    },
  ],
};

test("what the data of an event holds is read by its contentMediaType and contentSchema", async (t) => {
  const document = {
    ...bodyDocument({ "text/event-stream": { itemSchema } }, { components: { schemas: { Thing: thing } } }),
    openapi: "3.2.0",
  };
  const gateway = await specGateway(t, { document });
  const send = (event: string) =>
    gateway.send("POST", "/", { headers: { "content-type": "text/event-stream" }, body: event });
  for (const good of [
    "event: addString\ndata: x\n\n",
    "event: addInt64\ndata: 12345678901234\n\n",
    'event: addJson\ndata: {"id":\ndata: 1}\n\n',
  ])
    assert.equal((await send(good)).status, 200, good);
  for (const bad of [
    "event: addInt64\ndata: x\n\n",
    "event: addInt64\ndata: 9223372036854775808\n\n",
    'event: addJson\ndata: {"id":"x"}\n\n',
    "event: other\ndata: 1\n\n",
    "data: 1\n\n",
  ])
    assert.equal((await send(bad)).status, 400, bad);
});
