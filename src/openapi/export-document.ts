import type { Work } from "../core/pace.ts";
import type { SpecFiles } from "./files.ts";
import { isObject, type Json, parsePointer, toObject, toToken } from "./json.ts";
import { isMetaSchemaUri } from "./meta-schemas.ts";
import { LIST, MAP, SINGLE } from "./subschemas.ts";
import { upgradeKeywords } from "./upgrade-schema.ts";

/**
 * The whole document as one of OpenAPI 3.1 or 3.2: schemas upgraded, and what other files hold brought into it.
 * Made anew for each call: 13 MB that are seldom asked for are not worth keeping.
 */
export function* exportDocument(files: SpecFiles, source: Json): Work<Json> {
  if (files.isSelfContained && (files.version === "3.1" || files.version === "3.2")) return source;
  return yield* new Exporter(files).document(source);
}

class Exporter {
  private readonly files: SpecFiles;
  private readonly names = new Map<string, string>();
  private readonly schemas: Json = {};
  private readonly pending: (() => void)[] = [];
  private depth = 0;

  constructor(files: SpecFiles) {
    this.files = files;
  }

  *document(source: Json): Work<Json> {
    const named = toObject(toObject(source.components).schemas);
    const home = this.files.version === "2.0" ? "#/definitions" : "#/components/schemas";
    for (const name of Object.keys(named)) this.names.set(`${home}/${toToken(name)}`, name);
    for (const name of Object.keys(named)) {
      this.schemas[name] = this.schema(named[name]);
      yield;
    }
    const { components, ...rest } = source;
    const { schemas: _, ...others } = toObject(components);
    const openapi = this.files.version === "3.2" ? "3.2.0" : "3.1.1";
    const document: Json = { ...(yield* this.members(rest)), openapi };
    const parts = yield* this.members(others);
    for (let work = this.pending.pop(); work !== undefined; work = this.pending.pop()) {
      work();
      yield;
    }
    return { ...document, components: { ...parts, schemas: this.schemas } };
  }

  /** Of the document or its components: mappings of names, most of them, which are gone through one by one. */
  private *members(source: Json): Work<Json> {
    const copy: Json = {};
    for (const [key, value] of Object.entries(source)) {
      if (!isObject(value) || typeof value.$ref === "string") {
        copy[key] = this.part(value);
        continue;
      }
      const named: Json = {};
      for (const name of Object.keys(value)) {
        named[name] = this.part(value[name]);
        yield;
      }
      copy[key] = named;
    }
    return copy;
  }

  /** What is no schema: a reference of it to another file is written out. */
  private part(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((item) => this.part(item));
    if (!isObject(value)) return value;
    if (typeof value.$ref === "string" && !value.$ref.startsWith("#/components/")) {
      // A callback may lead back to its own path: then the reference stands for itself.
      if (this.depth > 20) return {};
      this.depth++;
      const { $ref: _, ...beside } = value;
      const target = this.files.open(value);
      const whole = this.part(target);
      const written = isObject(whole) ? { ...whole, ...(this.part(beside) as Json) } : whole;
      this.depth--;
      return written;
    }
    const copy: Json = {};
    for (const key of Object.keys(value)) {
      const member = value[key];
      if ((key === "schema" || key === "itemSchema") && isObject(member)) copy[key] = this.schema(member);
      else copy[key] = key === "example" || key === "value" ? member : this.part(member);
    }
    return copy;
  }

  private schema(value: unknown): unknown {
    if (!isObject(value)) return value;
    const dialect = this.files.dialectOf(value);
    if (typeof value.$ref === "string" && dialect.isReferenceAlone) return { $ref: this.refer(value.$ref) };
    const copy = upgradeKeywords(value, this.files.version, dialect);
    for (const keyword in copy) {
      const member = copy[keyword];
      if (Array.isArray(member) && LIST.has(keyword)) copy[keyword] = member.map((item) => this.schema(item));
      else if (MAP.has(keyword) && isObject(member)) {
        copy[keyword] = Object.fromEntries(Object.entries(member).map(([name, item]) => [name, this.schema(item)]));
      } else if (SINGLE.has(keyword)) copy[keyword] = this.schema(member);
    }
    for (const key of ["$ref", "$dynamicRef", "$recursiveRef"]) {
      const reference = value[key];
      if (typeof reference !== "string" || dialect.unknown.has(key)) continue;
      delete copy[key];
      copy.$ref = this.refer(reference);
    }
    if (typeof copy.discriminator === "string") copy.discriminator = { propertyName: copy.discriminator };
    else if (isObject(copy.discriminator)) copy.discriminator = this.discriminator(copy.discriminator);
    return copy;
  }

  private discriminator(value: Json): Json {
    if (!isObject(value.mapping)) return value;
    const mapping = Object.entries(value.mapping).map(([key, target]) => [
      key,
      typeof target === "string" && target.includes("#") ? this.refer(target) : target,
    ]);
    return { ...value, mapping: Object.fromEntries(mapping) };
  }

  private refer(reference: string): string {
    if (isMetaSchemaUri(reference.replace(/#.*$/s, ""))) return reference;
    let name = this.names.get(reference);
    if (name === undefined) {
      name = this.freeName(reference);
      const own = name;
      this.names.set(reference, own);
      this.schemas[own] = true;
      this.pending.push(() => {
        this.schemas[own] = this.schema(this.files.find(reference));
      });
    }
    return `#/components/schemas/${toToken(name)}`;
  }

  private freeName(reference: string): string {
    const hash = reference.indexOf("#");
    const last = parsePointer(reference.slice(hash + 1)).at(-1) ?? reference.slice(0, hash).replace(/\.\w+$/, "");
    const base = last.replace(/[^A-Za-z0-9_.-]/g, "_") || "schema";
    for (let i = 0; ; i++) {
      const name = i === 0 ? base : `${base}-${i}`;
      if (!Object.hasOwn(this.schemas, name) && name !== "__proto__") return name;
    }
  }
}
