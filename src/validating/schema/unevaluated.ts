import { isObject, type SchemaObject } from "./keywords.ts";
import { findMatcher, type Matcher } from "./pattern.ts";

type Test = (value: unknown) => boolean;
/** @throws for what no compiler gets right */
export type CompileTest = (schema: SchemaObject) => Test;

/** What a schema looks at, of an object or of an array, with all that applies to the same value. */
interface Looks {
  readonly names: Set<string>;
  readonly patterns: Matcher[];
  allNames: boolean;
  /** So many items from the first. */
  prefix: number;
  readonly items: Test[];
  allItems: boolean;
  /** What is looked at when the value is as it must be for that. */
  readonly more: { readonly holds: Test; readonly looks: Looks }[];
}

const LOCAL_REFERENCE = /^#\/\$defs\/([^/%~]+)$/;

/**
 * Makes the tests of `unevaluatedProperties` and `unevaluatedItems`: what each keyword around them looks at is known
 * beforehand, and of branches it is asked which of them hold only when a member or an item is known to nobody else.
 * The branches are checked twice then, so a schema that leads to itself through one must not come here.
 */
export class UnevaluatedTests {
  private readonly root: SchemaObject;
  private readonly compile: CompileTest;
  private readonly forbidden: string;

  /**
   * @param root cleaned, with all that it refers to inside
   * @param forbidden the mark that depends on where a value stands, which a branch alone cannot know
   */
  constructor(root: SchemaObject, forbidden: string, compile: CompileTest) {
    this.root = root;
    this.forbidden = forbidden;
    this.compile = compile;
  }

  ofProperties(schema: SchemaObject): Test {
    const looks = this.looksOf(schema, true);
    const rest = this.testOf(schema.unevaluatedProperties);
    return (value) => {
      for (const name in value as SchemaObject) {
        if (!looksAtName(looks, name, value) && !rest((value as SchemaObject)[name])) return false;
      }
      return true;
    };
  }

  ofItems(schema: SchemaObject): Test {
    const looks = this.looksOf(schema, true);
    const rest = this.testOf(schema.unevaluatedItems);
    return (value) => {
      const items = value as readonly unknown[];
      if (looks.allItems) return true;
      for (let i = looks.prefix; i < items.length; i++) {
        if (!looksAtItem(looks, i, items) && !rest(items[i])) return false;
      }
      return true;
    };
  }

  private testOf(schema: unknown): Test {
    if (!isObject(schema)) return schema === false ? never : always;
    // For what it refuses.
    this.looksOf(schema, true);
    const { $defs } = this.root;
    let test: Test | undefined;
    return (value) => {
      test ??= this.compile(schema.$defs === undefined && $defs !== undefined ? { ...schema, $defs } : schema);
      return test(value);
    };
  }

  private looksOf(schema: unknown, isOuter: boolean, above: ReadonlySet<unknown> = new Set()): Looks {
    const looks: Looks = {
      names: new Set(),
      patterns: [],
      allNames: false,
      prefix: 0,
      items: [],
      allItems: false,
      more: [],
    };
    if (!isObject(schema) || above.has(schema)) return looks;
    if (schema[this.forbidden] === true) throw new Error(`${this.forbidden} in a branch`);
    const inside = new Set([...above, schema]);
    this.addOwn(looks, schema, isOuter);
    const inPlace = Array.isArray(schema.allOf) ? [...schema.allOf] : [];
    if (schema.$ref !== undefined) inPlace.push(this.resolve(String(schema.$ref)));
    for (const sub of inPlace) add(looks, this.looksOf(sub, false, inside));
    const when = (holds: Test, sub: unknown): void => {
      looks.more.push({ holds, looks: this.looksOf(sub, false, inside) });
    };
    for (const sub of [...listOf(schema.anyOf), ...listOf(schema.oneOf)]) when(this.testOf(sub), sub);
    if (schema.if !== undefined) {
      const holds = this.testOf(schema.if);
      when(holds, schema.if);
      when(holds, schema.then);
      when((value) => !holds(value), schema.else);
    }
    for (const [name, sub] of Object.entries(isObject(schema.dependentSchemas) ? schema.dependentSchemas : {})) {
      when((value) => isObject(value) && Object.hasOwn(value, name), sub);
    }
    return looks;
  }

  private addOwn(looks: Looks, schema: SchemaObject, isOuter: boolean): void {
    if (isObject(schema.properties)) for (const name of Object.keys(schema.properties)) looks.names.add(name);
    if (isObject(schema.patternProperties)) {
      for (const source of Object.keys(schema.patternProperties)) {
        const matcher = findMatcher(source);
        if (matcher !== undefined) looks.patterns.push(matcher);
      }
    }
    const says = (keyword: string): boolean => schema[keyword] !== undefined;
    looks.allNames = says("additionalProperties") || (!isOuter && says("unevaluatedProperties"));
    looks.allItems = says("items") || (!isOuter && says("unevaluatedItems"));
    looks.prefix = listOf(schema.prefixItems).length;
    if (says("contains")) looks.items.push(this.testOf(schema.contains));
  }

  private resolve(reference: string): unknown {
    const name = LOCAL_REFERENCE.exec(reference)?.[1];
    const { $defs } = this.root;
    if (name === undefined || !isObject($defs) || !Object.hasOwn($defs, name))
      throw new Error(`nothing is ${reference}`);
    return $defs[name];
  }
}

function add(looks: Looks, other: Looks): void {
  for (const name of other.names) looks.names.add(name);
  looks.patterns.push(...other.patterns);
  looks.items.push(...other.items);
  looks.more.push(...other.more);
  looks.allNames ||= other.allNames;
  looks.allItems ||= other.allItems;
  looks.prefix = Math.max(looks.prefix, other.prefix);
}

function looksAtName(looks: Looks, name: string, value: unknown): boolean {
  if (looks.allNames || looks.names.has(name)) return true;
  for (const pattern of looks.patterns) if (pattern.test(name)) return true;
  for (const { holds, looks: inner } of looks.more) if (looksAtName(inner, name, value) && holds(value)) return true;
  return false;
}

function looksAtItem(looks: Looks, index: number, value: readonly unknown[]): boolean {
  if (looks.allItems || index < looks.prefix) return true;
  for (const test of looks.items) if (test(value[index])) return true;
  for (const { holds, looks: inner } of looks.more) if (looksAtItem(inner, index, value) && holds(value)) return true;
  return false;
}

const never: Test = () => false;
const always: Test = () => true;
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
