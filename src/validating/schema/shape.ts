import { toNumber } from "./exact.ts";
import { isObject, type SchemaObject } from "./keywords.ts";
import { type Resource, Resources } from "./resources.ts";

export const NULL = 1;
export const BOOLEAN = 2;
export const NUMBER = 4;
export const STRING = 8;
export const ARRAY = 16;
export const OBJECT = 32;
const ANY = 63;
const SCALARS = NULL | BOOLEAN | NUMBER | STRING;
const BITS: Readonly<Record<string, number>> = {
  null: NULL,
  boolean: BOOLEAN,
  number: NUMBER,
  integer: NUMBER,
  string: STRING,
  array: ARRAY,
  object: OBJECT,
};

interface Place {
  readonly schema: SchemaObject;
  readonly resource: Resource;
}

/**
 * What a schema lets a value be, seen through `$ref`, `allOf`, `anyOf` and `oneOf`: how text that has no types of its
 * own (a parameter, a form, XML) is to be read. Lazy, since schemas may contain themselves.
 */
export class Shape {
  private readonly resources: Resources;
  /** Where the value is described: in more than one place for a member that several branches name. */
  private readonly roots: readonly Place[];
  /** The roots, and all that applies to the same value. */
  private readonly places: readonly Place[];
  private knownTypes: number | undefined = undefined;
  private knownItems: Shape | undefined = undefined;
  private knownProperties: ReadonlyMap<string, Shape> | undefined = undefined;
  private knownAdditional: Shape | null | undefined = undefined;

  private constructor(resources: Resources, roots: readonly Place[], places: readonly Place[]) {
    this.resources = resources;
    this.roots = roots;
    this.places = places;
  }

  /** @param schema cleaned, with all that it refers to inside */
  static of(schema: SchemaObject | boolean): Shape {
    const resources = new Resources(schema);
    return Shape.at(resources, [{ schema, resource: resources.root }]);
  }

  private static at(
    resources: Resources,
    roots: readonly { readonly schema: unknown; readonly resource: Resource }[],
  ): Shape {
    const places: Place[] = [];
    const seen = new Set<SchemaObject>();
    const visit = (schema: unknown, from: Resource): void => {
      if (!isObject(schema) || seen.has(schema)) return;
      seen.add(schema);
      const resource = resources.ownerOf(schema, from);
      places.push({ schema, resource });
      for (const keyword of ["$ref", "$dynamicRef"]) {
        const target = typeof schema[keyword] === "string" ? resources.resolve(schema[keyword], resource) : undefined;
        if (target !== undefined) visit(target.schema, target.resource);
      }
      for (const keyword of ["allOf", "anyOf", "oneOf"]) {
        if (Array.isArray(schema[keyword])) for (const sub of schema[keyword]) visit(sub, resource);
      }
      for (const keyword of ["then", "else"]) visit(schema[keyword], resource);
    };
    for (const { schema, resource } of roots) visit(schema, resource);
    const described = roots.filter((root): root is Place => isObject(root.schema));
    return new Shape(resources, described, places);
  }

  /** A set of the bits above. */
  get types(): number {
    this.knownTypes ??= this.findTypes();
    return this.knownTypes;
  }

  get isArray(): boolean {
    return (this.types & ARRAY) !== 0 && this.types !== ANY;
  }
  get isObject(): boolean {
    return (this.types & OBJECT) !== 0 && this.types !== ANY;
  }
  /** Whether it may be an array or an object. */
  get isCompound(): boolean {
    return (this.types & (ARRAY | OBJECT)) !== 0;
  }
  /** True where nothing is said of the type. */
  get isAnything(): boolean {
    return this.types === ANY;
  }
  get isScalar(): boolean {
    return (this.types & SCALARS) !== 0;
  }

  get items(): Shape {
    this.knownItems ??= Shape.at(
      this.resources,
      this.places.flatMap(({ schema, resource }) =>
        [schema.items, ...(Array.isArray(schema.prefixItems) ? schema.prefixItems : [])].map((item) => ({
          schema: item,
          resource,
        })),
      ),
    );
    return this.knownItems;
  }

  /** The named members. */
  get properties(): ReadonlyMap<string, Shape> {
    this.knownProperties ??= this.findProperties();
    return this.knownProperties;
  }

  /** Of members without a name in the schema; null when there may be none. */
  get additional(): Shape | null {
    if (this.knownAdditional === undefined) {
      const found = this.places.filter(({ schema }) => schema.additionalProperties !== undefined);
      this.knownAdditional = found.some(({ schema }) => schema.additionalProperties === false)
        ? null
        : Shape.at(
            this.resources,
            found.map(({ schema, resource }) => ({ schema: schema.additionalProperties, resource })),
          );
    }
    return this.knownAdditional;
  }

  /** True where members beyond the named ones were meant: `additionalProperties` says so, or none is named. */
  get isFreeForm(): boolean {
    return (
      this.properties.size === 0 ||
      this.places.some(({ schema }) => schema.additionalProperties === true || isObject(schema.additionalProperties))
    );
  }

  member(name: string): Shape | undefined {
    return this.properties.get(name) ?? this.additional ?? undefined;
  }

  /** The first value of an annotation such as `xml` or `default`. */
  annotation(keyword: string): unknown {
    return this.places.find(({ schema }) => schema[keyword] !== undefined)?.schema[keyword];
  }

  private findTypes(): number {
    let union = 0;
    for (const { schema, resource } of this.roots) {
      const types = this.typesOf(schema, resource, new Set());
      if (types !== ANY) union |= types;
    }
    return union === 0 ? ANY : union;
  }

  private typesOf(schema: unknown, from: Resource, above: Set<SchemaObject>): number {
    if (!isObject(schema) || above.has(schema)) return ANY;
    above.add(schema);
    const resource = this.resources.ownerOf(schema, from);
    let types = ownTypes(schema);
    for (const keyword of ["$ref", "$dynamicRef"]) {
      const target =
        typeof schema[keyword] === "string" ? this.resources.resolve(schema[keyword], resource) : undefined;
      if (target !== undefined) types &= this.typesOf(target.schema, target.resource, above);
    }
    if (Array.isArray(schema.allOf)) for (const sub of schema.allOf) types &= this.typesOf(sub, resource, above);
    for (const keyword of ["anyOf", "oneOf"]) {
      if (!Array.isArray(schema[keyword])) continue;
      let union = 0;
      for (const sub of schema[keyword]) union |= this.typesOf(sub, resource, above);
      types &= union;
    }
    above.delete(schema);
    return types;
  }

  private findProperties(): Map<string, Shape> {
    const found = new Map<string, Place[]>();
    for (const { schema, resource } of this.places) {
      if (!isObject(schema.properties)) continue;
      for (const name of Object.keys(schema.properties)) {
        const places = found.get(name) ?? [];
        places.push({ schema: schema.properties[name] as SchemaObject, resource });
        found.set(name, places);
      }
    }
    return new Map([...found].map(([name, places]) => [name, Shape.at(this.resources, places)]));
  }
}

function ownTypes(schema: SchemaObject): number {
  if (schema.type !== undefined) return bitsOf([schema.type].flat().map((type) => BITS[String(type)] ?? 0));
  if (Array.isArray(schema.enum)) return bitsOf(schema.enum.map(bitOfValue));
  if (Object.hasOwn(schema, "const")) return bitOfValue(schema.const);
  // Without a type, members and items tell what was meant.
  if (isObject(schema.properties)) return OBJECT;
  if (schema.items !== undefined || schema.prefixItems !== undefined) return ARRAY;
  return ANY;
}

const bitsOf = (bits: readonly number[]): number => bits.reduce((all, bit) => all | bit, 0);
function bitOfValue(value: unknown): number {
  if (value === null) return NULL;
  if (Array.isArray(value)) return ARRAY;
  return BITS[typeof value] ?? 0;
}

const DECIMAL = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?$/;

/**
 * Text as the value that a schema would have it be.
 * @param asText leave it text where the schema allows that: `5` for `oneOf: [integer, string]`
 */
export function toScalar(text: string, types: number, asText: boolean): unknown {
  if (types === STRING || (types & SCALARS) === STRING || types === ANY) return text;
  if (asText && (types & STRING) !== 0) return text;
  if ((types & NUMBER) !== 0 && DECIMAL.test(text)) {
    const value = toNumber(text);
    if (typeof value === "bigint" || Number.isFinite(value)) return value;
  }
  if ((types & BOOLEAN) !== 0) {
    if (text === "true") return true;
    if (text === "false") return false;
  }
  if ((types & NULL) !== 0 && (text === "null" || (text === "" && (types & STRING) === 0))) return null;
  return text;
}
