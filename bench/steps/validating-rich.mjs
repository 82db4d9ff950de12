import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { HeaderList } from "../../dist/src/core/headers.js";
import { findMediaType } from "../../dist/src/core/media-type.js";
import { BodyPlan } from "../../dist/src/validating/bodies/body-plan.js";
import { ParameterChecks } from "../../dist/src/validating/parameters/check.js";
import { Violations } from "../../dist/src/validating/schema/check.js";
import { order, orderSchema, request, spec } from "../rich-spec.mjs";

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
  const sides = [
    ["Portico", checkBody],
    ["JSON.parse and Ajv", checkWithAjv],
  ];
  compare("read and check a rich JSON body, 2 KB", 10_000, sides);
  time("check five parameters of path, query and header", 50_000, checkParameters);
}
