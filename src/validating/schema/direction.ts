import type { Direction } from "./evaluation.ts";
import { forEachSubschema, isObject, type SchemaObject } from "./keywords.ts";
import { type Resource, Resources } from "./resources.ts";

const IN_PLACE = ["allOf", "anyOf", "oneOf"] as const;
const IN_PLACE_SINGLE = ["then", "else"] as const;

/**
 * What is `readOnly` is required of answers only, what is `writeOnly` of requests only (OpenAPI 3.0 §4.7.24.2): takes
 * such names out of `required`, in place.
 */
export function relaxRequired(schema: SchemaObject | boolean, direction: Direction): void {
  if (!isObject(schema)) return;
  const relaxer = new Relaxer(schema, direction === "request" ? "readOnly" : "writeOnly");
  relaxer.visit(schema, relaxer.resources.root, new Set());
}

class Relaxer {
  readonly resources: Resources;
  private readonly mark: "readOnly" | "writeOnly";
  private readonly visited = new Set<SchemaObject>();

  constructor(root: SchemaObject, mark: "readOnly" | "writeOnly") {
    this.resources = new Resources(root);
    this.mark = mark;
  }

  visit(schema: unknown, from: Resource, inherited: ReadonlySet<string>): void {
    if (!isObject(schema) || this.visited.has(schema)) return;
    this.visited.add(schema);
    const resource = this.resources.ownerOf(schema, from);
    let hidden = inherited;
    if (schema.properties !== undefined || schema.required !== undefined || schema.allOf !== undefined) {
      const own = new Set(inherited);
      this.collectHidden(schema, resource, own, new Set());
      hidden = own;
    }
    if (Array.isArray(schema.required) && hidden.size > 0) {
      schema.required = (schema.required as string[]).filter((name) => !hidden.has(name));
    }
    for (const keyword of IN_PLACE) {
      if (Array.isArray(schema[keyword])) for (const sub of schema[keyword]) this.visit(sub, resource, hidden);
    }
    for (const keyword of IN_PLACE_SINGLE) this.visit(schema[keyword], resource, hidden);
    forEachSubschema(schema, (sub) => this.visit(sub, resource, none));
  }

  private collectHidden(schema: unknown, from: Resource, names: Set<string>, seen: Set<SchemaObject>): void {
    if (!isObject(schema) || seen.has(schema)) return;
    seen.add(schema);
    const resource = this.resources.ownerOf(schema, from);
    if (isObject(schema.properties)) {
      for (const name of Object.keys(schema.properties)) {
        if (this.isMarked(schema.properties[name], resource, new Set())) names.add(name);
      }
    }
    for (const keyword of IN_PLACE) {
      if (Array.isArray(schema[keyword])) {
        for (const sub of schema[keyword]) this.collectHidden(sub, resource, names, seen);
      }
    }
    if (typeof schema.$ref === "string") {
      const target = this.resources.resolve(schema.$ref, resource);
      if (target !== undefined) this.collectHidden(target.schema, target.resource, names, seen);
    }
  }

  private isMarked(schema: unknown, from: Resource, seen: Set<SchemaObject>): boolean {
    if (!isObject(schema) || seen.has(schema)) return false;
    seen.add(schema);
    if (schema[this.mark] === true) return true;
    const resource = this.resources.ownerOf(schema, from);
    if (Array.isArray(schema.allOf) && schema.allOf.some((sub) => this.isMarked(sub, resource, seen))) return true;
    const target = typeof schema.$ref === "string" ? this.resources.resolve(schema.$ref, resource) : undefined;
    return target !== undefined && this.isMarked(target.schema, target.resource, seen);
  }
}

const none: ReadonlySet<string> = new Set();
