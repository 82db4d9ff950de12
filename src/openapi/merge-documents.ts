import type { OpenAPIV3_1 } from "openapi-types";
import type { Operation } from "../core/operation.ts";
import type { Work } from "../core/pace.ts";
import { findByPointer, isObject, type Json, toList, toObject, toPointer } from "./json.ts";
import { METHODS, type Spec } from "./operations.ts";
import { Rewriter } from "./rewrite-references.ts";

/** A spec as a gateway serves it. */
export interface PublishedSpec extends Spec {
  /** The only hosts that it is served on, `api.example.com` or `*.example.com`. Default: any. */
  readonly hosts?: readonly string[];
}

/**
 * One OpenAPI document of everything behind the gateway: every path as clients find it, and the gateway as the only
 * server. Names that two specs both have get the later spec's title before them.
 */
export function* mergeDocuments(
  specs: readonly PublishedSpec[],
  title = "Everything behind this gateway",
): Work<OpenAPIV3_1.Document> {
  const merged: Json = {
    openapi: specs.some(({ files }) => files.version === "3.2") ? "3.2.0" : "3.1.1",
    info: { title, version: specs.map(({ info }) => info.version).join("+") || "0" },
    servers: [{ url: "/" }],
    paths: {},
    components: {},
    tags: [],
  };
  const ids = new Set<string>();
  for (const spec of specs) yield* new Merger(merged, ids, spec, yield* spec.exported()).merge();
  return merged as unknown as OpenAPIV3_1.Document;
}

class Merger {
  private readonly merged: Json;
  private readonly ids: Set<string>;
  private readonly spec: PublishedSpec;
  private readonly document: Json;
  private readonly slug: string;
  private readonly components = new Map<string, string>();
  private readonly paths = new Map<string, string>();
  private readonly operationIds = new Map<string, string>();
  private readonly rewriter: Rewriter;

  constructor(merged: Json, ids: Set<string>, spec: PublishedSpec, document: Json) {
    this.merged = merged;
    this.ids = ids;
    this.spec = spec;
    this.document = document;
    this.slug = spec.info.title.replace(/[^A-Za-z0-9]+/g, "-").replace(/^-|-$/g, "") || "api";
    const { components, paths, operationIds } = this;
    this.rewriter = new Rewriter({ components, paths, operationIds });
  }

  *merge(): Work<void> {
    const { components, tags } = this.document;
    const target = toObject(this.merged.components);
    const parts = Object.entries(toObject(components)).filter(
      ([kind, value]) => isObject(value) && !kind.startsWith("x-"),
    );
    for (const [kind, named] of parts) {
      target[kind] ??= {};
      for (const name of Object.keys(toObject(named))) {
        this.components.set(toPointer(["components", kind, name]), freeName(toObject(target[kind]), name, this.slug));
      }
    }
    // All names are given before anything is written: a link may lead to an operation further down.
    const writes = this.spec.operations.map((operation) => this.place(operation));
    for (const [kind, named] of parts) {
      for (const [name, value] of Object.entries(toObject(named))) {
        const written = this.rewriter.rewrite(value);
        if (kind === "schemas") this.mapChildren(name, written);
        toObject(target[kind])[this.rewriter.name(kind, name)] = written;
        yield;
      }
    }
    for (const write of writes) {
      write();
      yield;
    }
    this.addWebhooks(toObject(this.document.webhooks));
    const known = this.merged.tags as Json[];
    for (const tag of toList(tags)) {
      if (isObject(tag) && !known.some(({ name }) => name === tag.name)) known.push(this.rewriter.rewrite(tag) as Json);
    }
  }

  /** What the services call of their own accord: part of what they promise, though it is not behind the gateway. */
  private addWebhooks(webhooks: Json): void {
    for (const [name, source] of Object.entries(webhooks)) {
      const item = this.rewriter.rewrite(source) as Json;
      for (const method of METHODS) {
        const operation = toObject(item[method]);
        if (typeof operation.operationId !== "string") continue;
        operation.operationId = freeId(this.ids, operation.operationId, this.slug);
      }
      this.merged.webhooks ??= {};
      const named = toObject(this.merged.webhooks);
      named[freeName(named, name, this.slug)] = item;
    }
  }

  /** Gives an operation its path and id. @returns what writes the rest */
  private place(operation: Operation): () => void {
    const method = operation.method.toLowerCase();
    const item = this.itemOf(operation);
    const isCommon = METHODS.includes(method) && isObject(item[method]);
    const key = this.freePath(operation, isCommon ? method : operation.method);
    if (!this.paths.has(operation.path)) this.paths.set(operation.path, key);
    const id = freeId(this.ids, operation.id, this.slug);
    this.operationIds.set(operation.id, id);
    const path = toObject(toObject(this.merged.paths)[key]);
    const holder = isCommon ? path : toObject(path.additionalOperations);
    const name = isCommon ? method : operation.method;
    // Held at once, so that the next operation of this path and method finds another place.
    holder[name] = {};
    return () => {
      const source = isCommon ? item[method] : toObject(item.additionalOperations)[operation.method];
      holder[name] = this.write(operation, id, item, toObject(source));
    };
  }

  /** Where another host has the path, too, a fragment tells the two apart: no request carries one. */
  private freePath(operation: Operation, method: string): string {
    const paths = toObject(this.merged.paths);
    const plain = operation.publicPath.replace(/#.*$/s, "");
    const names = [plain, operation.publicPath, `${plain}#${this.spec.hosts?.[0] ?? this.slug}`];
    for (let i = 2; ; i++) {
      for (const name of names) {
        const { additionalOperations, ...item } = toObject(paths[name]);
        if (item[method] !== undefined || toObject(additionalOperations)[method] !== undefined) continue;
        paths[name] ??= {};
        if (!METHODS.includes(method.toLowerCase())) toObject(paths[name]).additionalOperations ??= {};
        return name;
      }
      names.splice(0, 3, `${plain}#${this.slug}-${i}`);
    }
  }

  private write(operation: Operation, id: string, item: Json, source: Json): Json {
    const { servers: _, ...own } = source;
    const parameters = lastOfEach([...toList(item.parameters), ...toList(source.parameters)]);
    const { hosts = [] } = this.spec;
    return {
      ...(this.rewriter.rewrite({ ...own, ...(parameters.length > 0 ? { parameters } : {}) }) as Json),
      operationId: id,
      ...(hosts.length > 0 ? { servers: hosts.map(toServer) } : {}),
      security: operation.security.map((requirement) =>
        this.rewriter.requirement(Object.fromEntries(requirement.map(({ scheme, scopes }) => [scheme, scopes]))),
      ),
    };
  }

  private itemOf({ path }: Operation): Json {
    const paths = toObject(this.document.paths);
    const item = toObject(paths[path] ?? paths[path.slice(1)]);
    if (typeof item.$ref !== "string" || !item.$ref.startsWith("#/")) return item;
    return { ...toObject(findByPointer(this.document, item.$ref.slice(1))), ...item };
  }

  /** A base class means its children by their names: those that have others now are mapped to them. */
  private mapChildren(name: string, written: unknown): void {
    if (!isObject(written) || !isObject(written.discriminator)) return;
    const home = this.spec.files.version === "2.0" ? ["definitions"] : ["components", "schemas"];
    const children = this.spec.files.childrenByBase.get(`#${toPointer([...home, name])}`) ?? [];
    const mapping = { ...toObject(written.discriminator.mapping) };
    for (const child of children) {
      this.rewriter.mapRenamed(mapping, child.replace(/^#\/definitions\//, "#/components/schemas/"));
    }
    if (Object.keys(mapping).length > 0) written.discriminator.mapping = mapping;
  }
}

const toServer = (host: string): Json =>
  host.startsWith("*.")
    ? { url: `//{subdomain}${host.slice(1)}`, variables: { subdomain: { default: "www" } } }
    : { url: `//${host}` };

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
