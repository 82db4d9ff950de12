import type { Schema, SpecInfo } from "../../core/operation.ts";
import { type Finding, MAX_VIOLATIONS, type Violation } from "../violation.ts";
import { cleanSchema } from "./clean.ts";
import { createCompiler, hasParts, isCompilable } from "./compile.ts";
import { assertContent } from "./content.ts";
import { relaxRequired } from "./direction.ts";
import { Evaluator } from "./evaluate.ts";
import type { Direction } from "./evaluation.ts";
import { isExact } from "./exact.ts";
import { foldUnevaluated } from "./fold.ts";
import { forks } from "./forks.ts";
import { isObject, type SchemaObject } from "./keywords.ts";

/** What was found wrong with one message, up to {@link MAX_VIOLATIONS}. */
export class Violations {
  readonly list: Violation[] = [];
  /** There was more than the list holds. */
  isCapped = false;

  get isEmpty(): boolean {
    return this.list.length === 0;
  }

  add(location: Violation["location"], pointer: string, keyword: string, message: string): void {
    if (this.list.length < MAX_VIOLATIONS) this.list.push({ location, pointer, keyword, message });
    else this.isCapped = true;
  }
}

/**
 * A schema, ready to check values. Made when a snapshot is built and compiled when first used or in idle time: a large
 * document must not be compiled before its first answer.
 */
export class SchemaCheck {
  private readonly spec: SpecInfo;
  private readonly source: Schema;
  private readonly direction: Direction;
  private readonly assertsContent: boolean;
  private bundled: SchemaObject | boolean | undefined = undefined;
  private folded: SchemaObject | boolean | undefined = undefined;
  private evaluator: Evaluator | undefined = undefined;
  private compiled: ((value: unknown) => boolean) | undefined = undefined;

  /** @param assertsContent texts must hold what `contentMediaType` and `contentSchema` say of them */
  constructor(spec: SpecInfo, source: Schema, direction: Direction, assertsContent = false) {
    this.assertsContent = assertsContent;
    this.spec = spec;
    this.source = source;
    this.direction = direction;
  }

  /** The schema and all that it refers to, cleaned. */
  get schema(): SchemaObject | boolean {
    if (this.bundled === undefined) {
      this.bundled = cleanSchema(this.spec.bundle(this.source));
      relaxRequired(this.bundled, this.direction);
      if (this.assertsContent) assertContent(this.bundled);
    }
    return this.bundled;
  }

  /** The same in words that compilers and scans know better; what is wrong, the schema itself tells. */
  get foldedSchema(): SchemaObject | boolean {
    this.folded ??= foldUnevaluated(this.schema);
    return this.folded;
  }

  isValid(value: unknown): boolean {
    this.compiled ??= this.compile();
    try {
      return isExact(value) ? this.getEvaluator().isValid(value) : this.compiled(value);
    } catch (error) {
      // A schema that applies itself to the same value without end: nothing is valid against that.
      if (error instanceof RangeError) return false;
      throw error;
    }
  }

  /** Adds what is wrong with a value; nothing when it is valid. @param prefix pointer of the value in its location */
  check(value: unknown, location: Violation["location"], prefix: string, violations: Violations): void {
    if (!this.isValid(value)) this.explain(value, location, prefix, violations);
  }

  /** Adds why a value is invalid. */
  explain(value: unknown, location: Violation["location"], prefix: string, violations: Violations): void {
    const room = MAX_VIOLATIONS - violations.list.length + 1;
    const findings = this.findings(value, room);
    if (findings.length === 0) violations.add(location, prefix, "schema", "does not match the schema");
    for (const { pointer, keyword, message } of findings) violations.add(location, prefix + pointer, keyword, message);
  }

  /** What is wrong with a value, told without compiling: for who has one value of each schema. */
  findings(value: unknown, limit: number): Finding[] {
    try {
      return this.getEvaluator().explain(value, limit);
    } catch (error) {
      if (error instanceof RangeError) return [];
      throw error;
    }
  }

  /** Compiles ahead of the first value. */
  prepare(): void {
    this.compiled ??= this.compile();
  }

  private getEvaluator(): Evaluator {
    this.evaluator ??= new Evaluator(this.schema, this.direction, this.findPartCompiler());
    return this.evaluator;
  }

  private findPartCompiler(): ((part: SchemaObject) => (value: unknown) => boolean) | undefined {
    const { schema } = this;
    if (!isObject(schema) || !isCompilable(schema) || !hasParts(schema) || forks(schema)) return undefined;
    const compile = compilerOf(this.spec, this.direction);
    return (part) => {
      try {
        return compile({ ...part, $defs: schema.$defs ?? {} });
      } catch {
        // Nothing is known to be right: the evaluator looks at all of it.
        return () => false;
      }
    };
  }

  private compile(): (value: unknown) => boolean {
    const schema = this.foldedSchema;
    if (schema === true || (isObject(schema) && Object.keys(schema).length === 0)) return () => true;
    if (isCompilable(schema) && !forks(schema)) {
      try {
        return compilerOf(this.spec, this.direction)(schema) as (value: unknown) => boolean;
      } catch {
        // Whatever the compiler stumbled over, the evaluator reads keyword by keyword: no request may end in a 500.
      }
    }
    return (value) => this.getEvaluator().isValid(value);
  }
}

type Compile = ReturnType<typeof createCompiler>;
const compilers = new WeakMap<SpecInfo, Map<Direction, Compile>>();
const checks = new WeakMap<SpecInfo, Map<string, Map<unknown, SchemaCheck>>>();

/** A compiler for each document, so that what it compiled goes when the document goes. */
function compilerOf(spec: SpecInfo, direction: Direction): Compile {
  const known = getOrAdd(compilers, spec, () => new Map<Direction, Compile>());
  return getOrAdd(known, direction, () => createCompiler(direction));
}

/** The check of a schema; the same one for the same schema, so that nothing is compiled twice. */
export function schemaCheck(spec: SpecInfo, schema: Schema, direction: Direction): SchemaCheck {
  const ofSpec = getOrAdd(checks, spec, () => new Map<string, Map<unknown, SchemaCheck>>());
  const ofDirection = getOrAdd(ofSpec, direction, () => new Map<unknown, SchemaCheck>());
  const isReference = isObject(schema) && typeof schema.$ref === "string" && Object.keys(schema).length === 1;
  return getOrAdd(ofDirection, isReference ? schema.$ref : schema, () => new SchemaCheck(spec, schema, direction));
}

interface MapLike<K, V> {
  get(key: K): V | undefined;
  set(key: K, value: V): unknown;
}
function getOrAdd<K, V>(map: MapLike<K, V>, key: K, create: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = create();
    map.set(key, value);
  }
  return value;
}
