import assert from "node:assert/strict";
import { test } from "node:test";
import { projectGateway } from "../support/project-gateway.ts";

const ok = { 200: { description: "ok" } };
const json = (schema: unknown): object => ({ content: { "application/json": { schema } } });
/** A document of one operation, `POST /`, whose body has this schema. */
const body = (openapi: string, schema: unknown, more: object = {}): object => ({
  openapi,
  info: { title: "T", version: "1" },
  paths: { "/": { post: { requestBody: { required: true, ...json(schema) }, responses: ok } } },
  ...more,
});
const components = (schemas: object): object => ({ components: { schemas } });

type Sent = readonly [line: string, body: string | undefined, status: number, type?: string];
type Row = readonly [name: string, files: Record<string, string | object>, sent: readonly Sent[]];
const bodies = (good: readonly unknown[], bad: readonly unknown[]): Sent[] => [
  ...good.map((value): Sent => ["POST /", JSON.stringify(value), 200]),
  ...bad.map((value): Sent => ["POST /", JSON.stringify(value), 400]),
];

const DOCUMENTS: readonly Row[] = [
  [
    "components/pathItems, by reference from a path (3.1)",
    {
      "s.json": {
        openapi: "3.1.0",
        info: { title: "T", version: "1" },
        paths: { "/a/{id}": { $ref: "#/components/pathItems/Thing" } },
        components: {
          pathItems: {
            Thing: {
              parameters: [{ name: "id", in: "path", required: true, schema: { type: "integer" } }],
              get: { responses: ok },
            },
          },
        },
      },
    },
    [
      ["GET /a/1", undefined, 200],
      ["GET /a/x", undefined, 400],
      ["PUT /a/1", undefined, 405],
    ],
  ],
  [
    "a path item in a file, whose references are relative to that file",
    {
      "s.json": { openapi: "3.0.3", info: { title: "T", version: "1" }, paths: { "/a": { $ref: "paths/a.yaml" } } },
      "paths/a.yaml":
        "post: { requestBody: { $ref: '../bodies/b.yaml#/a~1b/c%25d' }, responses: { 200: { description: ok } } }",
      "bodies/b.yaml":
        "a/b: { c%d: { required: true, content: { application/json: { schema: { $ref: 'deep/s.json' } } } } }",
      "bodies/deep/s.json": {
        type: "array",
        items: { $ref: "#/definitions/n" },
        definitions: { n: { type: "integer" } },
      },
    },
    [
      ["POST /a", "[1]", 200],
      ["POST /a", '["x"]', 400],
    ],
  ],
  [
    "$anchor, and an embedded $id whose fragments and relative references are its own",
    {
      "s.json": body(
        "3.1.0",
        { allOf: [{ $ref: "https://example.com/a#name" }, { $ref: "https://example.com/b" }] },
        components({
          A: { $id: "https://example.com/a", $defs: { x: { $anchor: "name", required: ["name"] } } },
          B: { $id: "https://example.com/b", $ref: "#/$defs/y", $defs: { y: { properties: { name: { $ref: "c" } } } } },
          C: { $id: "https://example.com/c", type: "string" },
        }),
      ),
    },
    bodies([{ name: "x" }], [{}, { name: 1 }]),
  ],
  [
    "$dynamicRef means the outermost anchor of its name",
    {
      "s.json": body(
        "3.1.0",
        { $ref: "#/components/schemas/Strict" },
        components({
          Tree: {
            $id: "https://example.com/tree",
            $dynamicAnchor: "node",
            type: "object",
            properties: { data: true, children: { type: "array", items: { $dynamicRef: "#node" } } },
          },
          Strict: {
            $id: "https://example.com/strict",
            $dynamicAnchor: "node",
            $ref: "tree",
            unevaluatedProperties: false,
          },
        }),
      ),
    },
    bodies([{ children: [{ data: 1 }] }], [{ daat: 1 }, { children: [{ daat: 1 }] }]),
  ],
  [
    "a recursive schema",
    {
      "s.json": body(
        "3.0.3",
        { $ref: "#/components/schemas/Node" },
        components({
          Node: {
            type: "object",
            properties: {
              next: { allOf: [{ $ref: "#/components/schemas/Node" }], nullable: true },
              n: { type: "integer" },
            },
          },
        }),
      ),
    },
    bodies([{ next: { next: null } }, { next: { next: { n: 1 } } }], [{ next: { next: { n: "x" } } }, { next: 1 }]),
  ],
  [
    "exclusive limits of 3.0 are booleans",
    {
      "s.json": body("3.0.3", {
        type: "number",
        minimum: 1,
        exclusiveMinimum: true,
        maximum: 5,
        exclusiveMaximum: false,
      }),
    },
    bodies([1.1, 5], [1, 5.1, 0]),
  ],
  [
    "exclusive limits of 3.1 are numbers",
    { "s.json": body("3.1.0", { type: "number", minimum: 0, exclusiveMinimum: 1, exclusiveMaximum: 5 }) },
    bodies([1.1, 4.9], [1, 5, 0]),
  ],
  [
    "nullable of 3.0, beside an enum and around a reference",
    {
      "s.json": body(
        "3.0.3",
        {
          type: "object",
          properties: {
            a: { type: "string", nullable: true, enum: ["x"] },
            b: { nullable: true, allOf: [{ $ref: "#/components/schemas/S" }] },
            c: { type: "string", nullable: false },
            d: { $ref: "#/components/schemas/S", nullable: true },
          },
        },
        components({ S: { type: "string" } }),
      ),
    },
    bodies(
      [{ a: null }, { a: "x" }, { b: null }, { b: "s" }, { c: "s" }],
      [{ a: "y" }, { b: 1 }, { c: null }, { d: null }],
    ),
  ],
  [
    "nullable of 3.1 says nothing, and null is a type",
    {
      "s.json": body("3.1.0", {
        type: "object",
        properties: { a: { type: "string", nullable: true }, b: { type: ["string", "null"] } },
      }),
    },
    bodies([{ a: "x" }, { b: null }], [{ a: null }, { b: 1 }]),
  ],
  [
    "what stands beside $ref counts in 3.1 and not in 3.0",
    {
      "s.json": body("3.1.0", { $ref: "#/components/schemas/S", maxLength: 2 }, components({ S: { type: "string" } })),
    },
    bodies(["ab"], ["abc", 1]),
  ],
  [
    "a document that names itself ($self) is referred to by that name (3.2)",
    {
      "s.json": {
        ...body(
          "3.2.0",
          { $ref: "https://example.com/api/openapi#/components/schemas/S" },
          components({ S: { $ref: "shared/foo#/components/schemas/N" } }),
        ),
        $self: "https://example.com/api/openapi",
      },
      "elsewhere/f.yaml":
        "openapi: 3.2.0\n$self: https://example.com/api/shared/foo\ninfo: { title: F, version: '1' }\ncomponents: { schemas: { N: { type: integer } } }\n",
    },
    bodies([1], ["x"]),
  ],
  [
    "a schema in a file of the folder is found by its $id",
    {
      "s.json": body("3.1.0", { $ref: "https://example.com/schemas/pet" }),
      "schemas/p.json": { $id: "https://example.com/schemas/pet", type: "object", required: ["name"] },
    },
    bodies([{ name: 1 }], [{}]),
  ],
  [
    "additional operations, the whole query as one parameter, and items of a stream (3.2)",
    {
      "s.json": {
        openapi: "3.2.0",
        info: { title: "T", version: "1" },
        paths: {
          "/a": {
            additionalOperations: { PURGE: { responses: ok }, LINK: { responses: ok } },
            get: {
              parameters: [
                {
                  name: "q",
                  in: "querystring",
                  required: true,
                  content: {
                    "application/x-www-form-urlencoded": {
                      schema: { type: "object", properties: { n: { type: "integer" } }, required: ["n"] },
                    },
                  },
                },
              ],
              responses: ok,
            },
          },
          "/j": {
            get: {
              parameters: [
                { name: "q", in: "querystring", content: { "application/json": { schema: { type: "array" } } } },
              ],
              responses: ok,
            },
          },
          "/lines": {
            post: {
              requestBody: { content: { "application/jsonl": { itemSchema: { type: "object", required: ["n"] } } } },
              responses: ok,
            },
          },
        },
      },
    },
    [
      ["PURGE /a", undefined, 200],
      ["LINK /a", undefined, 200],
      ["UNLINK /a", undefined, 405],
      ["GET /a?n=1", undefined, 200],
      ["GET /a?n=x", undefined, 400],
      ["GET /a", undefined, 400],
      ["GET /j?%5B1%5D", undefined, 200],
      ["GET /j?%7B%7D", undefined, 400],
      ["POST /lines", '{"n":1}\n{"n":2}\n', 200, "application/jsonl"],
      ["POST /lines", '{"n":1}\n{"m":2}\n', 400, "application/jsonl"],
    ],
  ],
];

for (const [name, files, sent] of DOCUMENTS) {
  test(name, async (t) => {
    const gateway = await projectGateway(t, { files });
    for (const [line, content, status, type = "application/json"] of sent) {
      const [method, target] = line.split(" ") as [string, string];
      const answer = await gateway.send(method, target, content === undefined ? {} : { "content-type": type }, content);
      assert.equal(answer.status, status, `${line} ${content}: ${answer.text}`);
    }
  });
}

const REFUSED: readonly [name: string, files: Record<string, string | object>, says: RegExp][] = [
  [
    "a reference over HTTP that no file of the folder is named",
    { "s.json": body("3.1.0", { $ref: "http://127.0.0.1:1/s.json" }) },
    /s\.json:1:\d+ \$ref "http:.*is not fetched/,
  ],
  ["a reference to a file: URL", { "s.json": body("3.1.0", { $ref: "file:///etc/passwd" }) }, /is not fetched/],
  ["a reference out of the folder", { "s.json": body("3.1.0", { $ref: "../../../etc/passwd" }) }, /leaves the folder/],
  ["an anchor that is not there", { "s.json": body("3.1.0", { $ref: "#nothing" }) }, /no such anchor/],
];
for (const [name, files, says] of REFUSED) {
  test(`${name} is refused, with its place`, async (t) => {
    await assert.rejects(projectGateway(t, { files }), says);
  });
}
