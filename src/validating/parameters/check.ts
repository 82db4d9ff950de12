import type { Exchange } from "../../core/exchange.ts";
import type { HeaderList } from "../../core/headers.ts";
import type { Operation } from "../../core/operation.ts";
import type { Violations } from "../schema/check.ts";
import { renewPatternBudget } from "../schema/pattern.ts";
import { cookiePairs, findCookies } from "./cookies.ts";
import { checkHeader } from "./header.ts";
import { PathValues } from "./path-values.ts";
import { ParameterPlan } from "./plan.ts";
import { apiKeyNames, QueryPlan } from "./query.ts";
import type { Pair } from "./styles.ts";

/** Such header parameters are described elsewhere in a document and ignored here (OpenAPI 3.2 §4.12.1). */
const IGNORED_HEADERS = new Set(["accept", "content-type", "authorization"]);

/** Everything of a request but its body. */
export class ParameterChecks {
  private readonly path: readonly ParameterPlan[];
  private readonly headers: readonly ParameterPlan[];
  private readonly cookies: readonly ParameterPlan[];
  private readonly query: QueryPlan | undefined;
  private readonly wholeQuery: ParameterPlan | undefined;
  private readonly plans: readonly ParameterPlan[];
  private readonly pathValues: PathValues;
  /** Of an object whose members the document does not name, these cookies are none. */
  private readonly otherCookies: ReadonlySet<string>;

  constructor(operation: Operation, reportsUnknownQuery: boolean) {
    const plans = operation.parameters
      .filter(({ name, in: where }) => where !== "header" || !IGNORED_HEADERS.has(name.toLowerCase()))
      .map((parameter) => new ParameterPlan(operation, parameter, "request"));
    const at = (where: string): ParameterPlan[] => plans.filter(({ location }) => location === where);
    this.plans = plans;
    this.path = at("path");
    this.headers = at("header");
    this.cookies = at("cookie");
    this.otherCookies =
      this.cookies.length === 0
        ? new Set()
        : new Set([...this.cookies.map(({ parameter }) => parameter.name), ...apiKeyNames(operation, "cookie")]);
    this.wholeQuery = at("querystring")[0];
    const query = at("query");
    this.query =
      query.length > 0 || (reportsUnknownQuery && this.wholeQuery === undefined)
        ? new QueryPlan(query, operation, reportsUnknownQuery)
        : undefined;
    this.pathValues = new PathValues(operation);
  }

  prepare(): void {
    for (const plan of this.plans) plan.prepare();
  }

  check(exchange: Exchange, violations: Violations): void {
    const { request } = exchange;
    renewPatternBudget();
    for (const plan of this.path) {
      plan.checkValue(this.pathValues.find(exchange, plan.parameter.name), violations);
    }
    if (this.query !== undefined) this.query.check(request.query, violations);
    if (this.wholeQuery !== undefined) checkWholeQuery(this.wholeQuery, request.query, violations);
    for (const plan of this.headers) checkHeader(plan, request.headers, violations);
    if (this.cookies.length > 0) this.checkCookies(request.headers, violations);
  }

  private checkCookies(headers: HeaderList, violations: Violations): void {
    const header = headers.getAll("cookie").join("; ");
    for (const plan of this.cookies) {
      const { shape, parameter } = plan;
      if (shape.isObject && !shape.isScalar && parameter.explode && parameter.content === undefined) {
        const pairs =
          shape.properties.size === 0 && shape.additional !== null
            ? cookiePairs(header).filter(([name]) => !this.otherCookies.has(name))
            : [...shape.properties.keys()].flatMap((name) =>
                findCookies(header, name).flatMap((value) => splitMembers(name, value, plan)),
              );
        if (pairs.length > 0) plan.checkMembers(pairs, violations);
        else if (parameter.required) plan.reportMissing(violations);
        continue;
      }
      const values = findCookies(header, parameter.name);
      if (values.length > 0) plan.checkValues(splitRepeated(values, plan), violations);
      else if (parameter.required) plan.reportMissing(violations);
    }
  }
}

function checkWholeQuery(plan: ParameterPlan, query: string, violations: Violations): void {
  if (query !== "") plan.checkValues([query], violations);
  else if (plan.parameter.required) plan.reportMissing(violations);
}

/** RFC 6570 writes an exploded list in a cookie as `color=blue&color=black`: one cookie, by the cookie's grammar. */
function splitRepeated(values: readonly string[], { parameter, shape }: ParameterPlan): readonly string[] {
  const first = values[0] as string;
  if (values.length > 1 || !parameter.explode || !shape.isArray || !first.includes(`&${parameter.name}=`))
    return values;
  return first.split(`&${parameter.name}=`);
}

/** Likewise an exploded object as `R=100&G=200`: split only where what follows is a member, too. */
function splitMembers(name: string, value: string, { shape }: ParameterPlan): Pair[] {
  const [own = "", ...others] = value.split("&");
  const members = others.map((piece) => piece.split("=", 1)[0] as string);
  if (members.length === 0 || !members.every((member) => shape.properties.has(member))) return [[name, value]];
  return [
    [name, own],
    ...others.map((piece, i): Pair => [members[i] as string, piece.slice(members[i]?.length ?? 0).slice(1)]),
  ];
}
