import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { HeaderList } from "../../dist/src/core/headers.js";
import { findMediaType } from "../../dist/src/core/media-type.js";
import { BodyPlan } from "../../dist/src/validating/bodies/body-plan.js";
import { ParameterChecks } from "../../dist/src/validating/parameters/check.js";
import { Violations } from "../../dist/src/validating/schema/check.js";
import { order, orderSchema, request, spec } from "../rich-spec.mjs";

const list = (text, count) => `[${Array(count).fill(text).join(",")}]`;
const kinds = ["card", "cash", "check"].map((kind) => ({
  properties: { kind: { const: kind }, [kind]: { type: "string" } },
}));
const sealed = {
  type: "object",
  required: ["kind"],
  properties: { id: { type: "integer" }, note: { type: "string" } },
  anyOf: kinds,
  unevaluatedProperties: false,
};
const small = { type: "array", items: { type: "object", properties: { a: { type: "integer" } } } };
const hundredThousand = Array.from({ length: 100_000 }, (_, i) => `"k${i}"`);
/** Schemas that no scan of the bytes decides, and long bodies of small items. */
const OTHERS = [
  [
    "members that are known by branches, 2 KB",
    { type: "array", items: sealed },
    list('{"id":17,"kind":"cash","cash":"EUR","note":"paid at the door"}', 33),
    2_000,
  ],
  ["whole numbers, 1 MB", { type: "array", items: { type: "integer" } }, list("7", 524_288), 1],
  ["objects of one member, 1 MB", small, list('{"a":1}', 131_072), 1],
  [
    "different objects, 1 MB, uniqueness asked of us alone",
    { ...small, uniqueItems: true },
    `[${Array.from({ length: 80_000 }, (_, i) => `{"a":${i}}`)}]`,
    1,
  ],
  [
    "an object of 100,000 names, 1 MB",
    { type: "object", additionalProperties: { type: "integer" } },
    `{${hundredThousand.map((name) => `${name}:1`)}}`,
    1,
  ],
  [
    "100,000 different texts, uniqueness asked of us alone",
    { type: "array", items: { type: "string" }, uniqueItems: true },
    `[${hundredThousand}]`,
    1,
  ],
  ["lists 500 deep, 1 MB", { type: "array" }, list("[".repeat(500) + "]".repeat(500), 1_040), 1],
];

const STYLES = { path: "simple", query: "form", header: "simple" };
const media = { type: "application/json", schema: orderSchema, encoding: {} };

/** A body with patterns, formats, fractions and alternatives: what checking it costs, and what Ajv takes for the same. */
export function run({ time, compare }) {
  const [path] = Object.keys(spec.paths);
  const operation = {
    method: "POST",
    path,
    publicPath: path,
    bases: ["/"],
    servers: [],
    parameters: spec.paths[path].post.parameters.map((parameter) => ({
      ...parameter,
      style: STYLES[parameter.in],
      explode: parameter.in === "query",
    })),
    spec: { document: {}, bundle: (schema) => schema },
  };
  const bytes = Buffer.from(order);
  const type = findMediaType("application/json");
  const [plan] = BodyPlan.all(operation, [media], "request");
  const ajv = new Ajv2020({ strict: false });
  addFormats.default(ajv);
  const validate = ajv.compile(orderSchema);
  const checkBody = () => {
    const violations = new Violations();
    plan.checkBytes(bytes, type, violations);
    if (!violations.isEmpty) throw new Error(JSON.stringify(violations.list));
  };
  const checkWithAjv = () => {
    if (!validate(JSON.parse(bytes.toString()))) throw new Error(JSON.stringify(validate.errors));
  };
  const parameters = new ParameterChecks(operation, false);
  const { pathParameters, query, headers } = request;
  const exchange = { request: { path: request.path, query, headers: new HeaderList(headers) }, pathParameters };
  const checkParameters = () => {
    const violations = new Violations();
    parameters.check(exchange, violations);
    if (!violations.isEmpty) throw new Error(JSON.stringify(violations.list));
  };
  const compareWithAjv = (name, schema, body, calls) => {
    const [own] = BodyPlan.all(operation, [{ type: "application/json", schema, encoding: {} }], "request");
    // Ajv compares each item with each: 80,000 of them would take minutes.
    const other = new Ajv2020({ strict: false }).compile({ ...schema, uniqueItems: false });
    const check = () => {
      const violations = new Violations();
      own.checkBytes(body, type, violations);
      if (!violations.isEmpty) throw new Error(JSON.stringify(violations.list));
    };
    const peer = () => {
      if (!other(JSON.parse(body.toString()))) throw new Error(JSON.stringify(other.errors));
    };
    compare(`read and check ${name}`, calls, [
      ["Portico", check],
      ["JSON.parse and Ajv", peer],
    ]);
  };
  const sides = [
    ["Portico", checkBody],
    ["JSON.parse and Ajv", checkWithAjv],
  ];
  compare("read and check a rich JSON body, 2 KB", 10_000, sides);
  for (const [name, schema, body, calls] of OTHERS) compareWithAjv(name, schema, Buffer.from(body), calls);
  time("check five parameters of path, query and header", 50_000, checkParameters);
}
