import { isObject, type SchemaObject } from "./keywords.ts";

/** Where a schema leads: those that look at the same value, and those that look at what is inside it, by group. */
interface Ways {
  readonly inPlace: readonly SchemaObject[];
  /** No member or item is looked at by two schemas of one group. */
  readonly inside: readonly (readonly SchemaObject[])[];
}

const IN_PLACE_LISTS = ["allOf", "anyOf", "oneOf"];
const IN_PLACE_SINGLE = ["not", "if", "then", "else"];

/**
 * True of a schema that contains itself in more than one way about the same value, such as an expression that is an
 * `and` of expressions or an `or` of expressions: each level of a nested value would double the work of a check that
 * forgets what it has found. Of 30 levels that is a minute.
 */
export function forks(root: SchemaObject | boolean): boolean {
  return isObject(root) && new Search(root).visit(root);
}

/** Tarjan's search for what can be reached from itself. */
class Search {
  private readonly root: SchemaObject;
  private readonly order = new Map<SchemaObject, number>();
  private readonly lowest = new Map<SchemaObject, number>();
  private readonly stack: SchemaObject[] = [];
  private readonly onStack = new Set<SchemaObject>();

  constructor(root: SchemaObject) {
    this.root = root;
  }

  /** @returns true once a circle that forks is found */
  visit(schema: SchemaObject): boolean {
    const number = this.order.size;
    this.order.set(schema, number);
    this.lowest.set(schema, number);
    this.stack.push(schema);
    this.onStack.add(schema);
    const { inPlace, inside } = this.waysOf(schema);
    for (const target of [...inPlace, ...inside.flat()]) {
      if (!this.order.has(target)) {
        if (this.visit(target)) return true;
        this.lower(schema, this.lowest.get(target));
      } else if (this.onStack.has(target)) this.lower(schema, this.order.get(target));
    }
    if (this.lowest.get(schema) !== number) return false;
    const circle = new Set(this.stack.splice(this.stack.indexOf(schema)));
    for (const member of circle) this.onStack.delete(member);
    return [...circle].some((member) => this.forksWithin(member, circle));
  }

  private lower(schema: SchemaObject, to: number | undefined): void {
    if (to !== undefined) this.lowest.set(schema, Math.min(to, this.lowest.get(schema) ?? to));
  }

  private forksWithin(schema: SchemaObject, circle: ReadonlySet<SchemaObject>): boolean {
    const { inPlace, inside } = this.waysOf(schema);
    const again = inPlace.filter((target) => circle.has(target));
    const groups = inside.filter((targets) => targets.some((target) => circle.has(target)));
    if (again.length + groups.length < 2) return false;
    // An array and an object are never looked at both.
    const types = again.map((target) => this.typeOf(target));
    return groups.length > 0 || types.includes(undefined) || new Set(types).size < types.length;
  }

  private typeOf(schema: SchemaObject, depth = 0): unknown {
    if (schema.type === "object" || schema.type === "array") return schema.type;
    const target = this.resolve(schema.$ref);
    return target === undefined || depth > 8 ? undefined : this.typeOf(target, depth + 1);
  }

  private waysOf(schema: SchemaObject): Ways {
    const inPlace = [
      this.resolve(schema.$ref),
      ...IN_PLACE_LISTS.flatMap((keyword) => (Array.isArray(schema[keyword]) ? schema[keyword] : [])),
      ...IN_PLACE_SINGLE.map((keyword) => schema[keyword]),
      ...valuesOf(schema.dependentSchemas),
    ];
    const inside = [
      [...valuesOf(schema.properties), schema.additionalProperties, schema.unevaluatedProperties],
      ...valuesOf(schema.patternProperties).map((sub) => [sub]),
      [schema.items, schema.unevaluatedItems, ...(Array.isArray(schema.prefixItems) ? schema.prefixItems : [])],
      // Asked again likewise.
      [schema.contains],
      ...(schema.unevaluatedItems === undefined ? [] : [[schema.contains]]),
    ];
    // Which of them hold is asked again by what looks at the rest.
    const isAgain = schema.unevaluatedProperties !== undefined || schema.unevaluatedItems !== undefined;
    return {
      inPlace: (isAgain ? [...inPlace, ...inPlace] : inPlace).filter(isObject),
      inside: inside.map((subs) => subs.filter(isObject)),
    };
  }

  private resolve(reference: unknown): SchemaObject | undefined {
    if (reference === "#") return this.root;
    const name = typeof reference === "string" ? /^#\/\$defs\/([^/]+)$/.exec(reference)?.[1] : undefined;
    const { $defs } = this.root;
    const found = name !== undefined && isObject($defs) && Object.hasOwn($defs, name) ? $defs[name] : undefined;
    return isObject(found) ? found : undefined;
  }
}

const valuesOf = (map: unknown): unknown[] => (isObject(map) ? Object.values(map) : []);
