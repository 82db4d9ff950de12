import type { Operation } from "../core/operation.ts";
import { findByPointer, isObject, type Json, parsePointer, toObject } from "../openapi/json.ts";
import { METHODS } from "../openapi/operations.ts";

/**
 * One operation as a document of its own, with all that it refers to: what a browser shows of a large API.
 * @param document whole, of 3.1 or 3.2
 */
export function toExcerpt(document: Json, operation: Operation): Json {
  const paths = toObject(document.paths);
  const item = toObject(paths[operation.path] ?? paths[operation.path.slice(1)]);
  const method = operation.method.toLowerCase();
  const isCommon = METHODS.includes(method) && isObject(item[method]);
  const shown: Json = { parameters: item.parameters };
  if (isCommon) shown[method] = item[method];
  else shown.additionalOperations = { [operation.method]: toObject(item.additionalOperations)[operation.method] };
  const excerpt: Json = {
    openapi: document.openapi,
    info: { title: toObject(document.info).title, version: toObject(document.info).version },
    security: document.security,
    paths: { [operation.path]: shown },
    components: { securitySchemes: toObject(document.components).securitySchemes },
  };
  new Collector(document, excerpt).run(shown);
  return excerpt;
}

class Collector {
  private readonly document: Json;
  private readonly excerpt: Json;
  private readonly pending: unknown[] = [];

  constructor(document: Json, excerpt: Json) {
    this.document = document;
    this.excerpt = excerpt;
  }

  run(start: unknown): void {
    this.pending.push(start);
    for (let next = this.pending.pop(); next !== undefined; next = this.pending.pop()) this.look(next);
  }

  private look(node: unknown): void {
    if (typeof node === "string") {
      if (node.startsWith("#/")) this.bring(node);
    } else if (typeof node === "object" && node !== null) {
      // Any text that looks like a reference is taken for one: a mapping of a discriminator has them under any name.
      this.pending.push(...Object.values(node).filter((value) => value !== undefined && value !== null));
    }
  }

  /** A whole component or path item, at its place. */
  private bring(reference: string): void {
    const [kind = "", group = "", name = ""] = parsePointer(reference.slice(1));
    const steps = kind === "components" ? [kind, group, name] : [kind, group];
    if (kind !== "components" && kind !== "paths" && kind !== "webhooks") return;
    const found = steps.reduce<unknown>((value, step) => (isObject(value) ? value[step] : undefined), this.document);
    if (found === undefined || findByPointer(this.excerpt, reference.slice(1)) !== undefined) return;
    let target = this.excerpt;
    for (const step of steps.slice(0, -1)) {
      target[step] = toObject(target[step]);
      target = target[step] as Json;
    }
    const last = steps.at(-1) as string;
    target[last] = isObject(found) && isObject(target[last]) ? { ...found, ...target[last] } : found;
    this.pending.push(found);
  }
}
