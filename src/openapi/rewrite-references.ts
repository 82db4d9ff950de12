import { isData, NAME_MAPS } from "./index-file.ts";
import { isObject, type Json, parsePointer, toList, toObject, toPointer } from "./json.ts";

/** What things are called in the document that they are copied into. */
export interface NewNames {
  /** By pointer, `/components/schemas/Pet`. */
  readonly components: ReadonlyMap<string, string>;
  readonly paths: ReadonlyMap<string, string>;
  readonly operationIds: ReadonlyMap<string, string>;
}

/** A pointer as a URI may hold it: a path has braces, which no fragment has. */
const toFragment = (path: readonly string[]): string =>
  `#${toPointer(path).replace(/[^\x21-\x7e]|["#<>[\\\]^`{|}]/gu, encodeURIComponent)}`;

/** Copies parts of one document into another, in which what they refer to may have other names. */
export class Rewriter {
  private readonly names: NewNames;

  constructor(names: NewNames) {
    this.names = names;
  }

  /** @param isNameMap its keys are names that the author chose: `$ref` and `default` among them are names, too */
  rewrite(value: unknown, isNameMap = false): unknown {
    if (Array.isArray(value)) return value.map((item) => this.rewrite(item));
    if (!isObject(value)) return value;
    const copy: Json = {};
    for (const [key, member] of Object.entries(value)) {
      const written = isNameMap ? this.rewrite(member) : this.member(value, key, member);
      Object.defineProperty(copy, key, { value: written, enumerable: true, writable: true, configurable: true });
    }
    return copy;
  }

  /** Of a requirement of the specification's security. */
  requirement(requirement: unknown): Json {
    return Object.fromEntries(
      Object.entries(toObject(requirement)).map(([scheme, scopes]) => [this.name("securitySchemes", scheme), scopes]),
    );
  }

  name(kind: string, name: string): string {
    return this.names.components.get(toPointer(["components", kind, name])) ?? name;
  }

  reference(reference: string): string {
    if (!reference.startsWith("#/")) return reference;
    const [first, second, third, ...rest] = parsePointer(reference.slice(1));
    if (first === "components" && second !== undefined && third !== undefined) {
      return toFragment([first, second, this.name(second, third), ...rest]);
    }
    if (first === "paths" && second !== undefined) {
      const steps = third === undefined ? [] : [third, ...rest];
      return toFragment([first, this.names.paths.get(second) ?? second, ...steps]);
    }
    return reference;
  }

  private member(holder: Json, key: string, value: unknown): unknown {
    if (typeof value === "string") {
      if (key === "$ref" || key === "operationRef") return this.reference(value);
      return value;
    }
    if (typeof value !== "object" || value === null || isData(key, value)) return value;
    if (key === "security" && Array.isArray(value)) return value.map((entry) => this.requirement(entry));
    if (key === "discriminator" && isObject(value)) return this.discriminator(value, holder);
    if (key === "links" && isObject(value)) return this.links(value);
    return this.rewrite(value, NAME_MAPS.has(key) && isObject(value));
  }

  /** A value names a schema where no mapping does: one that has another name now is mapped to it. */
  private discriminator(discriminator: Json, { oneOf, anyOf }: Json): Json {
    const mapping: Json = {};
    for (const [value, target] of Object.entries(toObject(discriminator.mapping))) {
      const isName = typeof target === "string" && this.name("schemas", target) !== target;
      mapping[value] = isName ? this.schema(target) : this.reference(String(target));
    }
    for (const { $ref } of [...toList(oneOf), ...toList(anyOf)].map(toObject)) {
      if (typeof $ref === "string") this.mapRenamed(mapping, $ref);
    }
    return Object.keys(mapping).length === 0 ? { ...discriminator } : { ...discriminator, mapping };
  }

  /** Adds a schema that has another name now, where nothing is mapped to it yet. */
  mapRenamed(mapping: Json, reference: string): void {
    const [first, second, name] = parsePointer(reference.slice(1));
    if (first !== "components" || second !== "schemas" || name === undefined) return;
    if (this.name("schemas", name) === name || Object.values(mapping).includes(this.schema(name))) return;
    mapping[name] ??= this.schema(name);
  }

  private schema(name: string): string {
    return toFragment(["components", "schemas", this.name("schemas", name)]);
  }

  private links(links: Json): Json {
    return Object.fromEntries(
      Object.entries(links).map(([name, link]) => {
        const written = this.rewrite(link) as Json;
        const id = toObject(link).operationId;
        if (typeof id !== "string") return [name, written];
        return [name, { ...written, operationId: this.names.operationIds.get(id) ?? id }];
      }),
    );
  }
}
