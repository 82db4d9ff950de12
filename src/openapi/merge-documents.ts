import type { OpenAPIV3_1 } from "openapi-types";
import type { Operation } from "../core/operation.ts";
import { findByPointer, isObject, type Json, parsePointer, toList, toObject, toPointer } from "./json.ts";
import type { Spec } from "./operations.ts";

const METHODS = new Set("get put post delete options head patch trace query".split(" "));

/**
 * One OpenAPI document of everything behind the gateway: every path as clients find it, and the gateway as the only
 * server. Names that two specs both have get the later spec's title before them.
 */
export function mergeDocuments(specs: readonly Spec[], title = "Everything behind this gateway"): OpenAPIV3_1.Document {
  const merged: Json = {
    openapi: specs.some(({ files }) => files.version === "3.2") ? "3.2.0" : "3.1.1",
    info: { title, version: specs.map(({ info }) => info.version).join("+") || "0" },
    servers: [{ url: "/" }],
    paths: {},
    components: {},
    tags: [],
  };
  const ids = new Set<string>();
  for (const spec of specs) new Merger(merged, ids, spec).merge();
  return merged as unknown as OpenAPIV3_1.Document;
}

class Merger {
  private readonly merged: Json;
  private readonly ids: Set<string>;
  private readonly spec: Spec;
  private readonly document: Json;
  /** `#/components/schemas/Pet` to what it is called in the merged document. */
  private readonly renamed = new Map<string, string>();
  private readonly publicPaths = new Map<string, string>();

  constructor(merged: Json, ids: Set<string>, spec: Spec) {
    this.merged = merged;
    this.ids = ids;
    this.spec = spec;
    this.document = spec.info.document;
  }

  merge(): void {
    const { components, tags } = this.document;
    const slug = this.spec.info.title.replace(/[^A-Za-z0-9]+/g, "-").replace(/^-|-$/g, "") || "api";
    const target = toObject(this.merged.components);
    const parts = Object.entries(toObject(components)).filter(
      ([kind, value]) => isObject(value) && !kind.startsWith("x-"),
    );
    for (const [kind, named] of parts) {
      target[kind] ??= {};
      for (const name of Object.keys(toObject(named))) {
        this.renamed.set(toPointer(["components", kind, name]), freeName(toObject(target[kind]), name, slug));
      }
    }
    for (const { path, publicPath } of this.spec.operations) this.publicPaths.set(path, publicPath);
    for (const [kind, named] of parts) {
      for (const [name, value] of Object.entries(toObject(named))) {
        const own = this.renamed.get(toPointer(["components", kind, name])) ?? name;
        toObject(target[kind])[own] = this.rewrite(value);
      }
    }
    for (const operation of this.spec.operations) this.addOperation(operation, slug);
    const known = this.merged.tags as Json[];
    for (const tag of toList(tags)) {
      if (isObject(tag) && !known.some(({ name }) => name === tag.name)) known.push(this.rewrite(tag) as Json);
    }
  }

  private addOperation(operation: Operation, slug: string): void {
    const paths = toObject(this.document.paths);
    const item = this.open(paths[operation.path] ?? paths[operation.path.slice(1)]);
    const method = operation.method.toLowerCase();
    const isCommon = METHODS.has(method) && isObject(item[method]);
    const source = toObject(isCommon ? item[method] : toObject(item.additionalOperations)[operation.method]);
    const { servers: _, ...own } = source;
    const parameters = [...toList(item.parameters), ...toList(source.parameters)];
    const written = this.rewrite({
      ...own,
      operationId: freeId(this.ids, operation.id, slug),
      ...(parameters.length > 0 ? { parameters: lastOfEach(parameters) } : {}),
    }) as Json;
    written.security = operation.security.map((requirement) =>
      Object.fromEntries(requirement.map(({ scheme, scopes }) => [this.schemeName(scheme), scopes])),
    );
    const target = toObject(this.merged.paths);
    target[operation.publicPath] ??= {};
    const place = toObject(target[operation.publicPath]);
    if (isCommon) place[method] ??= written;
    else {
      place.additionalOperations ??= {};
      toObject(place.additionalOperations)[operation.method] ??= written;
    }
  }

  private schemeName(scheme: string): string {
    return this.renamed.get(toPointer(["components", "securitySchemes", scheme])) ?? scheme;
  }

  private open(value: unknown): Json {
    const item = toObject(value);
    if (typeof item.$ref !== "string" || !item.$ref.startsWith("#/")) return item;
    return { ...toObject(findByPointer(this.document, item.$ref.slice(1))), ...item };
  }

  private rewrite(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((item) => this.rewrite(item));
    if (!isObject(value)) return value;
    const copy: Json = {};
    for (const [key, member] of Object.entries(value)) {
      const isReference = key === "$ref" && typeof member === "string";
      const written = isReference ? this.reference(member) : this.rewrite(member);
      Object.defineProperty(copy, key, { value: written, enumerable: true, writable: true, configurable: true });
    }
    if (isObject(copy.discriminator) && isObject(copy.discriminator.mapping)) {
      const mapping = Object.entries(copy.discriminator.mapping);
      copy.discriminator.mapping = Object.fromEntries(mapping.map(([key, to]) => [key, this.reference(String(to))]));
    }
    return copy;
  }

  private reference(reference: string): string {
    if (!reference.startsWith("#/")) return reference;
    const [first, second, third, ...rest] = parsePointer(reference.slice(1));
    if (first === "components" && second !== undefined && third !== undefined) {
      const name = this.renamed.get(toPointer([first, second, third])) ?? third;
      return `#${toPointer([first, second, name, ...rest])}`;
    }
    if (first === "paths" && second !== undefined) {
      return `#${toPointer([first, this.publicPaths.get(second) ?? second, ...(third === undefined ? [] : [third]), ...rest])}`;
    }
    return reference;
  }
}

function freeName(taken: Json, name: string, slug: string): string {
  const names = [name, `${slug}.${name}`];
  for (let i = 2; ; i++) {
    const free = names.find((candidate) => !Object.hasOwn(taken, candidate));
    if (free !== undefined) {
      // Held at once: the next spec of the same title must not take it too.
      taken[free] = {};
      return free;
    }
    names.push(`${slug}-${i}.${name}`);
  }
}

function freeId(ids: Set<string>, id: string, slug: string): string {
  let free = id;
  for (let i = 1; ids.has(free); i++) free = i === 1 ? `${slug}.${id}` : `${slug}-${i}.${id}`;
  ids.add(free);
  return free;
}

/** The operation's own parameter takes the place of the path's. What is written by reference is told apart by it. */
function lastOfEach(parameters: readonly unknown[]): unknown[] {
  const byKey = new Map<string, unknown>();
  for (const parameter of parameters) {
    const { $ref, in: where, name } = toObject(parameter);
    byKey.set(typeof $ref === "string" ? $ref : `${String(where)} ${String(name)}`, parameter);
  }
  return [...byKey.values()];
}
