import { HeaderList } from "../../dist/src/core/headers.js";
import { findMediaType } from "../../dist/src/core/media-type.js";
import { BodyPlan } from "../../dist/src/validating/bodies/body-plan.js";
import { parseJson } from "../../dist/src/validating/bodies/json.js";
import { ParameterChecks } from "../../dist/src/validating/parameters/check.js";
import { Violations } from "../../dist/src/validating/schema/check.js";
import { findMatcher, renewPatternBudget } from "../../dist/src/validating/schema/pattern.js";
import { order, spec } from "../validated-spec.mjs";

const { requestBody } = spec.paths["/orders"].post;
const parameter = {
  name: "dryRun",
  in: "query",
  required: false,
  style: "form",
  explode: true,
  schema: { type: "boolean" },
};
const media = { type: "application/json", schema: requestBody.content["application/json"].schema, encoding: {} };
const operation = {
  method: "POST",
  path: "/orders",
  publicPath: "/orders",
  bases: ["/"],
  parameters: [parameter],
  spec: { document: {}, bundle: (schema) => schema },
};

export function run({ time, row }) {
  const bytes = Buffer.from(order);
  const text = bytes.toString();
  const type = findMediaType("application/json");
  const [plan] = BodyPlan.all(operation, [media], "request");
  const parameters = new ParameterChecks(operation, false);
  const request = { path: "/orders", query: "dryRun=true", headers: new HeaderList() };
  const check = () => {
    const violations = new Violations();
    parameters.check({ request, pathParameters: {} }, violations);
    plan.checkBytes(bytes, type, violations);
    if (!violations.isEmpty) throw new Error(JSON.stringify(violations.list));
  };
  time("JSON.parse alone, 2 KB", 20_000, () => JSON.parse(text));
  time("read JSON strictly, 2 KB", 20_000, () => parseJson(bytes));
  time("check a parameter and a JSON body, 2 KB", 20_000, check);
  time("check a query parameter", 200_000, () => parameters.check({ request, pathParameters: {} }, new Violations()));

  const hostile = `${"a".repeat(50_000)}!`;
  for (const source of ["^(a+)+$", "^(?=(a+)+$)b", "^(?:(a+)+\\1!|b)$"]) {
    const matcher = findMatcher(source);
    for (let i = 0; i < 3; i++) {
      renewPatternBudget();
      matcher.test(hostile);
    }
    renewPatternBudget();
    const from = performance.now();
    matcher.test(hostile);
    row(`\`${source}\` against 50 KB that do not match`, (performance.now() - from) * 1e6);
  }
}
