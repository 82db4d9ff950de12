import { type ASTNode, Environment, serialize } from "@marcbachmann/cel-js";
import { RE2JS } from "re2js";
import type { Exchange } from "../../src/plugin.ts";
import { Remembered } from "./remembered.ts";

/**
 * An expression over a request, in the Common Expression Language: total, without effects, checked when it is read. It sees
 * `consumer` (name, groups, scopes, claims), `request` (method, path, host, query, headers, params, address) and
 * `operation` (id, tags).
 */
export interface Expression {
  /** As it was checked: `bool`, `string`, … or `dyn`, which only a request can tell. */
  readonly type: string;
  /** @throws Error when a fact is not there, as a claim that the token lacks */
  evaluate(exchange: Exchange): unknown;
}

/** What is asked of a list may not be asked of another list for each of its items: a client decides how long they are. */
const COMPREHENSIONS = new Set(["all", "exists", "exists_one", "map", "filter"]);
const MAX_NODES = 500;

const patterns = new Remembered<RE2JS>(100);

/** CEL's regular expressions are RE2: time is linear in the text, which a client chose. */
function matchesLinear(text: string, pattern: string): boolean {
  let compiled = patterns.get(pattern);
  if (compiled === undefined) {
    compiled = RE2JS.compile(pattern);
    patterns.set(pattern, compiled);
  }
  return compiled.matcher(text).find();
}

const environment = new Environment({ unlistedVariablesAreDyn: false, limits: { maxAstNodes: MAX_NODES } })
  .registerVariable("consumer", "map")
  .registerVariable("request", "map")
  .registerVariable("operation", "map")
  .registerFunction("string.matchesLinear(string): bool", matchesLinear);

/** @param name of the option, for what is said of it @throws Error with what is wrong */
export function compileExpression(text: string, name: string): Expression {
  const evaluate = parse(text, name);
  const checked = evaluate.check();
  if (!checked.valid) throw new Error(`${name} cannot hold: ${checked.error?.message ?? "unknown"}`);
  return {
    type: String(checked.type),
    evaluate: (exchange) =>
      evaluate({
        consumer: consumerFacts(exchange),
        request: requestFacts(exchange),
        operation: { id: exchange.operation?.id ?? "", tags: [...(exchange.operation?.tags ?? [])] },
      }),
  };
}

function parse(text: string, name: string): ReturnType<typeof environment.parse> {
  try {
    const { ast } = environment.parse(text);
    return environment.parse(serialize(bound(ast, 0)));
  } catch (cause) {
    throw new Error(`${name} is no expression: ${(cause as Error).message}`, { cause });
  }
}

interface Call {
  readonly op: string;
  args: unknown;
}
const isNode = (value: unknown): value is Call => typeof value === "object" && value !== null && "op" in value;

/** The expression with regular expressions that are linear. @throws Error when its cost would not be */
function bound(node: ASTNode, depth: number): ASTNode {
  const visit = (value: unknown, inside: number): void => {
    if (Array.isArray(value)) for (const each of value) visit(each, inside);
    else if (isNode(value)) visitNode(value, inside);
  };
  const visitNode = (call: Call, inside: number): void => {
    let within = inside;
    if (call.op === "rcall" && Array.isArray(call.args)) {
      const [name] = call.args as [string];
      if (COMPREHENSIONS.has(name)) within++;
      if (within > 1) throw new Error(`${name} inside another one; a client could make it take too long`);
      if (name === "matches") {
        call.args[0] = "matchesLinear";
        const [pattern] = call.args[2] as [Call | undefined];
        if (pattern?.op === "value" && typeof pattern.args === "string") RE2JS.compile(pattern.args);
      }
    }
    visit(call.args, within);
  };
  visit(node, depth);
  return node;
}

/** Maps without a prototype: `constructor` is no fact about anybody. */
const plain = (entries: Iterable<readonly [string, unknown]>): Map<string, unknown> => new Map(entries);

function consumerFacts({ consumer }: Exchange): Map<string, unknown> {
  return plain([
    ["name", consumer?.name ?? ""],
    ["groups", [...(consumer?.groups ?? [])]],
    ["scopes", [...(consumer?.scopes ?? [])]],
    ["claims", consumer?.claims ?? {}],
  ]);
}

function requestFacts({ request, client, pathParameters }: Exchange): Map<string, unknown> {
  const headers = new Map<string, string>();
  request.headers.forEach((_name, value, lowerName) => {
    const earlier = headers.get(lowerName);
    headers.set(lowerName, earlier === undefined ? value : `${earlier}, ${value}`);
  });
  return plain([
    ["method", request.method],
    ["path", request.path],
    ["host", request.authority],
    ["query", plain(new URLSearchParams(request.query))],
    ["headers", headers],
    ["params", plain(Object.entries(pathParameters))],
    ["address", client.address],
  ]);
}
