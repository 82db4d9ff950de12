import { forEachSubschema, isObject, type SchemaObject } from "./keywords.ts";

/** Those that can look at members or not, as the value decides. */
const CONDITIONAL_LISTS = ["anyOf", "oneOf"];
const CONDITIONAL_SINGLE = ["if", "then", "else"];
/** References that depend on more than the document around them. */
const MOVING = ["$id", "$anchor", "$dynamicAnchor", "$dynamicRef"];
const LOCAL_REFERENCE = /^#\/\$defs\/([^/%~]+)$/;

/**
 * A copy in which `unevaluatedProperties` is said by `additionalProperties`, wherever the members that everything around
 * it looks at are the same for each value: an object put together by `allOf` and sealed at the end, mostly. Compilers and
 * scans know the one much better than the other.
 * @param root cleaned, with all that it refers to inside
 * @returns the schema itself where nothing can be folded
 */
export function foldUnevaluated(root: SchemaObject | boolean): SchemaObject | boolean {
  if (!isObject(root) || !mentions(root, ["unevaluatedProperties"]) || mentions(root, MOVING)) return root;
  const copy = structuredClone(root);
  new Folder(copy).visit(copy);
  return copy;
}

function mentions(schema: unknown, keywords: readonly string[]): boolean {
  if (!isObject(schema)) return false;
  let isFound = keywords.some((keyword) => Object.hasOwn(schema, keyword));
  forEachSubschema(schema, (sub) => {
    isFound ||= mentions(sub, keywords);
  });
  return isFound;
}

/** What a schema and all that applies to the same value look at. */
interface Looks {
  readonly names: Set<string>;
  readonly patterns: Set<string>;
  /** At every member. */
  all: boolean;
}

const nothing = (): Looks => ({ names: new Set(), patterns: new Set(), all: false });

class Folder {
  private readonly root: SchemaObject;

  constructor(root: SchemaObject) {
    this.root = root;
  }

  visit(schema: unknown): void {
    if (!isObject(schema)) return;
    if (schema.unevaluatedProperties !== undefined) this.fold(schema);
    forEachSubschema(schema, (sub) => this.visit(sub));
  }

  private fold(schema: SchemaObject): void {
    const looks = nothing();
    if (!this.look(schema, looks, new Set(), true)) return;
    const { unevaluatedProperties, properties, patternProperties } = schema;
    delete schema.unevaluatedProperties;
    if (looks.all) return;
    schema.additionalProperties = unevaluatedProperties;
    schema.properties = filled(properties, looks.names);
    if (looks.patterns.size > 0) schema.patternProperties = filled(patternProperties, looks.patterns);
  }

  /** @returns false where it depends on the value */
  private look(schema: unknown, looks: Looks, above: Set<SchemaObject>, isOuter: boolean): boolean {
    if (!isObject(schema)) return true;
    if (above.has(schema)) return false;
    above.add(schema);
    for (const name of keysOf(schema.properties)) looks.names.add(name);
    for (const pattern of keysOf(schema.patternProperties)) looks.patterns.add(pattern);
    if (schema.additionalProperties !== undefined) looks.all = true;
    if (!isOuter && schema.unevaluatedProperties !== undefined) looks.all = true;
    const inPlace = Array.isArray(schema.allOf) ? [...schema.allOf] : [];
    if (schema.$ref !== undefined) {
      const target = this.resolve(schema.$ref);
      if (target === undefined) return false;
      inPlace.push(target);
    }
    if (!inPlace.every((sub) => this.look(sub, looks, above, false))) return false;
    const isSame = conditionsOf(schema).every((sub) => {
      const more = nothing();
      return this.look(sub, more, above, false) && isWithin(more, looks);
    });
    above.delete(schema);
    return isSame;
  }

  private resolve(reference: unknown): unknown {
    if (reference === "#") return this.root;
    const name = LOCAL_REFERENCE.exec(String(reference))?.[1];
    const { $defs } = this.root;
    return name !== undefined && isObject($defs) && Object.hasOwn($defs, name) ? $defs[name] : undefined;
  }
}

const keysOf = (map: unknown): string[] => (isObject(map) ? Object.keys(map) : []);

const conditionsOf = (schema: SchemaObject): unknown[] => [
  ...CONDITIONAL_LISTS.flatMap((keyword) => (Array.isArray(schema[keyword]) ? schema[keyword] : [])),
  ...CONDITIONAL_SINGLE.map((keyword) => schema[keyword]),
  ...(isObject(schema.dependentSchemas) ? Object.values(schema.dependentSchemas) : []),
];

const isWithin = (some: Looks, all: Looks): boolean =>
  all.all ||
  (!some.all &&
    [...some.names].every((name) => all.names.has(name)) &&
    [...some.patterns].every((pattern) => all.patterns.has(pattern)));

/** A map of schemas with more names, of which it says nothing. */
function filled(map: unknown, names: ReadonlySet<string>): SchemaObject {
  const entries = isObject(map) ? Object.entries(map) : [];
  const known = new Set(entries.map(([name]) => name));
  return Object.fromEntries([...entries, ...[...names].filter((name) => !known.has(name)).map((name) => [name, true])]);
}
