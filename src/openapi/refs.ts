import type { Schema } from "../core/operation.ts";

type Json = Record<string, unknown>;
const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Follows a JSON Pointer (RFC 6901). @returns undefined when nothing is there */
export function findByPointer(root: unknown, pointer: string): unknown {
  let value: unknown = root;
  for (const token of pointer.split("/").slice(1)) {
    const key = decodeURIComponent(token).replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Json)[key];
  }
  return value;
}

/** Resolves a chain of references to the object at its end. */
export function resolveReference(document: Json, value: unknown): unknown {
  const seen = new Set<string>();
  while (isObject(value) && typeof value.$ref === "string") {
    if (seen.has(value.$ref)) return undefined;
    seen.add(value.$ref);
    value = findByPointer(document, value.$ref.slice(value.$ref.indexOf("#") + 1));
  }
  return value;
}

/** One schema with all that it refers to in its own `$defs`. */
export function bundleSchema(document: Json, schema: Schema): Schema {
  if (typeof schema === "boolean") return schema;
  const names = new Map<string, string>();
  const definitions: Json = {};
  const visit = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(visit);
    if (!isObject(value)) return value;
    const copy: Json = {};
    for (const [key, member] of Object.entries(value)) {
      copy[key] = key === "$ref" && typeof member === "string" ? refer(member) : visit(member);
    }
    return copy;
  };
  const refer = (reference: string): string => {
    let name = names.get(reference);
    if (name === undefined) {
      name = `s${names.size}`;
      names.set(reference, name);
      definitions[name] = visit(findByPointer(document, reference.slice(reference.indexOf("#") + 1)) ?? false);
    }
    return `#/$defs/${name}`;
  };
  const root = visit(schema) as Json;
  return names.size === 0 ? root : { ...root, $defs: definitions };
}
