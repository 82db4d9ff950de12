import type { Finding } from "../violation.ts";
import { APPLICATORS } from "./applicators.ts";
import { ASSERTIONS } from "./assertions.ts";
import {
  applyInPlace,
  type Branch,
  type Direction,
  type Evaluation,
  isMember,
  type Scope,
  Seen,
} from "./evaluation.ts";
import { isExact } from "./exact.ts";
import { isObject, type SchemaObject } from "./keywords.ts";
import { Resources } from "./resources.ts";

type Test = (value: unknown) => boolean;

/** Deeper than this, schema within schema within value, a check ends: the stack is not a client's to exhaust. */
const MAX_DEPTH = 1_800;

/**
 * Walks a value and a schema side by side, as JSON Schema 2020-12 says. Slower than a compiled check and complete: it
 * decides for the schemas that the compiler does not get right, and explains for all of them.
 */
export class Evaluator implements Evaluation {
  readonly resources: Resources;
  readonly direction: Direction;
  private readonly root: SchemaObject | boolean;
  private findings: Finding[] = [];
  private limit = 0;
  private depth = 0;
  private isDeep = false;
  private known = new Map<Scope, Map<unknown, Map<object, Branch>>>();
  private readonly compile: ((schema: SchemaObject) => Test) | undefined;
  private readonly tests = new Map<unknown, Test>();
  private isExact = false;

  /**
   * @param schema cleaned, with all that it refers to inside
   * @param compile says yes or no for a part of it, where a compiler gets that right
   */
  constructor(
    schema: SchemaObject | boolean,
    direction: Direction,
    compile: ((schema: SchemaObject) => Test) | undefined = undefined,
  ) {
    this.compile = compile;
    this.root = schema;
    this.direction = direction;
    this.resources = new Resources(schema);
  }

  get isFull(): boolean {
    return this.findings.length >= this.limit;
  }

  isValid(value: unknown): boolean {
    return this.explain(value, 1).length === 0;
  }

  /** @returns at most `limit` findings; empty when the value is valid */
  explain(value: unknown, limit: number): Finding[] {
    this.findings = [];
    this.limit = limit;
    this.isExact = isExact(value);
    this.depth = 0;
    this.isDeep = false;
    this.known = new Map();
    const isValid = this.apply(this.root, value, "", { resource: this.resources.root, outer: undefined }, new Seen());
    this.known = new Map();
    if (isValid) return [];
    const found = this.findings;
    this.findings = [];
    return found.length > 0 ? found : [{ pointer: "", keyword: "schema", message: "does not match the schema" }];
  }

  /** Applies a schema at the place where a value stands. */
  apply(schema: unknown, value: unknown, pointer: string, scope: Scope, seen: Seen): boolean {
    if (schema === true) return true;
    if (schema === false) return this.report(pointer, "false", "is not allowed here");
    if (!isObject(schema)) return true;
    if (++this.depth > MAX_DEPTH || this.isDeep) {
      this.depth--;
      this.isDeep = true;
      return this.report(pointer, "depth", "is nested too deeply to be checked");
    }
    const resource = this.resources.ownerOf(schema, scope.resource);
    const inner = resource === scope.resource ? scope : { resource, outer: scope };
    let isValid = this.isDirectionAllowed(schema, pointer);
    for (const keyword of Object.keys(schema)) {
      const operand = schema[keyword];
      const assertion = Object.hasOwn(ASSERTIONS, keyword) ? ASSERTIONS[keyword] : undefined;
      const message = assertion?.(operand, value, schema);
      if (message !== undefined) isValid = this.report(pointer, keyword, message);
    }
    for (const { keyword, apply } of APPLICATORS) {
      if (schema[keyword] === undefined || !Object.hasOwn(schema, keyword)) continue;
      if (!apply(this, schema, value, pointer, inner, seen)) isValid = false;
      if (!isValid && this.isFull) break;
    }
    this.depth--;
    return isValid;
  }

  /** Applies a schema and keeps what it finds to itself: one branch of an `anyOf`. */
  try(schema: unknown, value: unknown, pointer: string, scope: Scope, limit = this.limit): Branch {
    const { findings: outer, limit: outerLimit } = this;
    this.findings = [];
    this.limit = limit;
    const seen = new Seen();
    const isValid = this.apply(schema, value, pointer, scope, seen);
    const { findings } = this;
    this.findings = outer;
    this.limit = outerLimit;
    return { isValid, seen, findings };
  }

  /**
   * Applies what a reference leads to, once to each object or array: branches that all lead to the same schema would
   * double the work with each level of a nested value. Every circle of schemas goes through a reference.
   */
  applyOnce(schema: unknown, value: unknown, pointer: string, scope: Scope, seen: Seen): boolean {
    if (typeof value !== "object" || value === null) return applyInPlace(this, schema, value, pointer, scope, seen);
    const ofScope = getOrAdd(this.known, scope);
    const ofSchema = getOrAdd(ofScope, schema);
    let branch = ofSchema.get(value);
    if (branch === undefined) {
      branch = this.try(schema, value, pointer, scope);
      // What was cut short because it was too deep may be found from elsewhere.
      if (!this.isDeep) ofSchema.set(value, branch);
    }
    seen.add(branch.seen);
    return branch.isValid || this.repeat(branch.findings);
  }

  findTest(keyword: "items" | "additionalProperties", sub: unknown): Test | undefined {
    // A compiled test knows nothing of whole numbers beyond a double.
    if (this.compile === undefined || this.isExact || !isObject(sub)) return undefined;
    let test = this.tests.get(sub);
    if (test === undefined) {
      const compiled = this.compile({ [keyword]: sub });
      // What is marked read-only depends on where it stands: in a list or under a name.
      test = keyword === "items" ? (item) => compiled([item]) : (member) => compiled({ member });
      this.tests.set(sub, test);
    }
    return test;
  }

  /** @returns false, so that a check can end with it */
  report(pointer: string, keyword: string, message: string): false {
    if (!this.isFull) this.findings.push({ pointer, keyword, message });
    return false;
  }

  repeat(findings: readonly Finding[]): false {
    for (const { pointer, keyword, message } of findings) this.report(pointer, keyword, message);
    return false;
  }

  private isDirectionAllowed(schema: SchemaObject, pointer: string): boolean {
    if (!isMember(pointer)) return true;
    if (schema.readOnly === true && this.direction === "request") {
      return this.report(pointer, "readOnly", "is read-only: leave it out of a request");
    }
    if (schema.writeOnly === true && this.direction === "response") {
      return this.report(pointer, "writeOnly", "is write-only: it must not be in an answer");
    }
    return true;
  }
}

function getOrAdd<K, A, B>(map: Map<K, Map<A, B>>, key: K): Map<A, B> {
  let found = map.get(key);
  if (found === undefined) {
    found = new Map();
    map.set(key, found);
  }
  return found;
}
