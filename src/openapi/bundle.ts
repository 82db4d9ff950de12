import type { Schema } from "../core/operation.ts";
import type { Dialect } from "./dialect.ts";
import { applyDiscriminator, type DiscriminatorContext } from "./discriminator.ts";
import type { SpecFiles } from "./files.ts";
import { isObject, type Json, parsePointer } from "./json.ts";
import { LIST, leadsTo, MAP, meansBase, SINGLE, type Visited, withoutChoice } from "./subschemas.ts";
import { upgradeKeywords } from "./upgrade-schema.ts";

/** For each name, the outermost `$dynamicAnchor` of the resources that evaluation came through. */
type DynamicScope = ReadonlyMap<string, string>;

/** Where a schema stands while it is copied. */
interface Place {
  /** The definition that the copy is part of, while it still looks at the same value; else undefined. */
  readonly home: Visited | undefined;
  readonly isInAllOf: boolean;
  readonly scope: DynamicScope;
}

/**
 * One schema of any version as a self-contained one of JSON Schema 2020-12: all that it refers to stands in its own
 * `$defs`, and no `$id`, anchor or dynamic reference is left. A dynamic reference means something else for each way
 * that leads to it, so a definition is copied once for each dynamic scope.
 */
export function bundleSchema(files: SpecFiles, schema: Schema): Schema {
  return typeof schema === "boolean" ? schema : new Bundle(files).root(schema as Json);
}

class Bundle implements DiscriminatorContext {
  readonly files: SpecFiles;
  private readonly definitions: Json = {};
  private readonly names = new Map<string, string>();
  /** A queue, not recursion: a chain of a thousand references must not be a thousand frames. */
  private readonly pending: (() => void)[] = [];

  constructor(files: SpecFiles) {
    this.files = files;
  }

  root(schema: Json): Schema {
    let scope = this.enter("#", new Map());
    let node: unknown = schema;
    let home: Visited | undefined;
    // A schema that is nothing but a reference is opened, so that readers find its type at the top.
    // The bound is for a circle whose links have more than a reference in them: 3.0 ignores what else they have.
    for (let i = 0; i < 100 && isObject(node) && typeof node.$ref === "string"; i++) {
      if (Object.keys(node).length > 1 && !this.files.dialectOf(node).isReferenceAlone) break;
      home = { reference: node.$ref, isBase: false };
      scope = this.enter(home.reference, scope);
      node = this.files.find(home.reference);
    }
    const root = this.copy(node, { home, isInAllOf: false, scope });
    for (let work = this.pending.pop(); work !== undefined; work = this.pending.pop()) work();
    if (typeof root === "boolean" || this.names.size === 0) return root as Schema;
    return { ...root, $defs: this.definitions };
  }

  copy(schema: unknown, place: Place): Json | boolean {
    if (typeof schema === "boolean") return schema;
    if (!isObject(schema)) return {};
    const dialect = this.files.dialectOf(schema);
    const reference = typeof schema.$ref === "string" ? schema.$ref : undefined;
    if (reference !== undefined && dialect.isReferenceAlone) return this.refer(reference, place);
    const resource = this.resourceOf(schema, dialect);
    if (resource !== undefined) place = { ...place, scope: this.enter(resource, place.scope) };
    const result = upgradeKeywords(schema, this.files.version, dialect);
    if (Array.isArray(result.anyOf) && result.anyOf !== schema.anyOf) {
      // `nullable` around something that already is a choice.
      return { anyOf: [{ type: "null" }, this.members(schema, result.anyOf[1] as Json, place)] };
    }
    return this.members(schema, result, place);
  }

  refer(reference: string, place: Place): Json | boolean {
    const { home, isInAllOf } = place;
    const find = (text: string): unknown => this.files.find(text);
    const isParent = isInAllOf && home !== undefined && meansBase(home.reference, reference, find);
    const target = find(reference);
    const isBase = isParent || (isInAllOf && isObject(target) && isDiscriminatedBase(target));
    // A circle that nothing breaks says nothing.
    if (home !== undefined && leadsTo({ reference, isBase: isParent }, home, find)) return {};
    const scope = this.enter(reference, place.scope);
    const key = `${reference} ${isBase ? "base" : ""} ${[...scope].join(" ")}`;
    let name = this.names.get(key);
    if (name === undefined) {
      name = this.nameFor(reference);
      this.names.set(key, name);
      this.definitions[name] = true;
      const schema = isBase ? withoutChoice(target) : target;
      const at = { home: { reference, isBase: isParent }, isInAllOf: false, scope };
      const own = name;
      this.pending.push(() => {
        this.definitions[own] = this.copy(schema, at);
      });
    }
    return { $ref: `#/$defs/${name}` };
  }

  private members(schema: Json, result: Json, place: Place): Json {
    const { home, scope } = place;
    const inPlace: Place = { home, isInAllOf: false, scope };
    const inAllOf: Place = { home, isInAllOf: true, scope };
    const inside: Place = { home: undefined, isInAllOf: false, scope };
    for (const keyword in result) {
      const value = result[keyword];
      const at = keyword === "allOf" ? inAllOf : IN_PLACE.has(keyword) ? inPlace : inside;
      if (Array.isArray(value) && LIST.has(keyword)) {
        result[keyword] = value.map((item) => this.copy(item, at));
      } else if (MAP.has(keyword) && isObject(value)) {
        const copies: Json = {};
        for (const name of Object.keys(value)) define(copies, name, this.copy(value[name], at));
        result[keyword] = copies;
      } else if (SINGLE.has(keyword)) {
        result[keyword] = this.copy(value, at);
      }
    }
    this.references(schema, result, place);
    if (isObject(schema.discriminator) || typeof schema.discriminator === "string") {
      return applyDiscriminator(this, schema, result, inPlace);
    }
    return result;
  }

  private references(schema: Json, result: Json, place: Place): void {
    if (typeof schema.$ref === "string") merge(result, this.refer(schema.$ref, place));
    const { unknown } = this.files.dialectOf(schema);
    const dynamic = schema[unknown.has("$dynamicRef") ? "$recursiveRef" : "$dynamicRef"];
    if (typeof dynamic !== "string") return;
    delete result.$dynamicRef;
    const name = this.files.dynamicNames.get(schema);
    const target = (name === undefined ? undefined : place.scope.get(name)) ?? dynamic;
    const copy = this.refer(target, place);
    if (result.$ref === undefined) merge(result, copy);
    else result.allOf = [...((result.allOf as unknown[]) ?? []), copy];
  }

  /** The scope once evaluation has come to the resource that a reference points into. */
  private enter(reference: string, scope: DynamicScope): DynamicScope {
    const { dynamicAnchors } = this.files;
    if (dynamicAnchors.size === 0) return scope;
    let resource = "";
    for (const known of this.files.resources) {
      const isInside = reference === known || reference.startsWith(known.endsWith("#") ? known : `${known}/`);
      if (isInside && known.length > resource.length) resource = known;
    }
    const anchors = dynamicAnchors.get(resource);
    if (anchors === undefined) return scope;
    const entered = new Map(scope);
    for (const [name, target] of anchors) if (!entered.has(name)) entered.set(name, target);
    return entered;
  }

  /** A schema with an `$id` is entered by standing inline, too, not only by a reference to it. */
  private resourceOf(schema: Json, { id }: Dialect): string | undefined {
    if (this.files.dynamicAnchors.size === 0 || typeof schema[id] !== "string") return undefined;
    for (const resource of this.files.resources) if (this.files.find(resource) === schema) return resource;
    return undefined;
  }

  private nameFor(reference: string): string {
    const last = parsePointer(reference.slice(reference.indexOf("#") + 1)).at(-1) ?? "root";
    const base = last.replace(/[^A-Za-z0-9_.-]/g, "_");
    return Object.hasOwn(this.definitions, base) || base === "__proto__" ? `${base}-${this.names.size}` : base;
  }
}

const IN_PLACE = new Set(["allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas"]);

/** A property may be named `__proto__`: assigned, it would set the prototype instead. ATTACKS 41. */
function define(object: Json, name: string, value: unknown): void {
  Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
}

function merge(result: Json, copy: Json | boolean): void {
  delete result.$ref;
  if (typeof copy === "boolean") {
    if (!copy) result.not = {};
  } else {
    Object.assign(result, copy);
  }
}

/** A base class without `oneOf`: a child that has it in `allOf` must not be sent on to itself. */
const isDiscriminatedBase = ({ discriminator, oneOf, anyOf }: Json): boolean =>
  discriminator !== undefined && oneOf === undefined && anyOf === undefined;
