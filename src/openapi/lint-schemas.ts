import type { SpecFiles } from "./files.ts";
import { isObject, type Json } from "./json.ts";
import type { Report } from "./lint.ts";
import { findHazard } from "./lint-pattern.ts";
import { eachSubschema } from "./subschemas.ts";
import { upgradeKeywords } from "./upgrade-schema.ts";

/** Keywords whose value may be one that says nothing: then the schema takes what its author thinks it refuses. */
const CHECKED = (
  "type required enum pattern minimum maximum multipleOf minLength maxLength minItems maxItems minProperties " +
  "maxProperties properties patternProperties allOf anyOf oneOf"
).split(" ");
const DATA = new Set(["example", "examples", "default", "const", "enum", "value", "dataValue"]);
const SCHEMA_MAPS = new Set(["schemas", "definitions", "$defs"]);

/** Looks at every schema of every file, wherever a document has one. */
export function lintSchemas(files: SpecFiles, report: Report): void {
  const walker = new Walker(files, report);
  walker.add(files.root, false);
  walker.run();
}

class Walker {
  private readonly files: SpecFiles;
  private readonly report: Report;
  private readonly seen = new Set<object>();
  /** A queue, not recursion: schemas may refer to each other in a chain of thousands. */
  private readonly pending: { readonly node: object; readonly isSchema: boolean }[] = [];

  constructor(files: SpecFiles, report: Report) {
    this.files = files;
    this.report = report;
  }

  add(node: unknown, isSchema: boolean): void {
    if (typeof node !== "object" || node === null || this.seen.has(node)) return;
    this.seen.add(node);
    this.pending.push({ node, isSchema });
  }

  run(): void {
    for (let next = this.pending.pop(); next !== undefined; next = this.pending.pop()) {
      const { node, isSchema } = next;
      if (Array.isArray(node)) for (const item of node) this.add(item, isSchema);
      else if (isSchema) this.schema(node as Json);
      else this.part(node as Json);
    }
  }

  private part(node: Json): void {
    this.follow(node, false);
    // A parameter of 2.0 is its own schema.
    if (typeof node.in === "string" && node.schema === undefined) this.pattern(node);
    for (const [key, value] of Object.entries(node)) {
      if (DATA.has(key) || key.startsWith("x-")) continue;
      if (SCHEMA_MAPS.has(key) && isObject(value)) for (const schema of Object.values(value)) this.add(schema, true);
      else this.add(value, key === "schema" || key === "itemSchema");
    }
  }

  private schema(schema: Json): void {
    this.follow(schema, true);
    this.pattern(schema);
    const upgraded = upgradeKeywords(schema, this.files.version, this.files.dialectOf(schema));
    for (const keyword of CHECKED) {
      if (schema[keyword] === undefined || upgraded[keyword] !== undefined || keyword === "pattern") continue;
      // Before 3.1 the exclusive limit takes the place of the other.
      if ((keyword === "minimum" || keyword === "maximum") && this.files.version !== "3.1") continue;
      const shown = JSON.stringify(schema[keyword])?.slice(0, 60);
      this.report(schema, keyword, `${keyword} is ${shown}, which says nothing: any value is taken; mend it`);
    }
    eachSubschema(schema, (subschema) => this.add(subschema, true));
    if (isObject(schema.$defs)) for (const inner of Object.values(schema.$defs)) this.add(inner, true);
  }

  private follow(node: Json, isSchema: boolean): void {
    if (typeof node.$ref === "string") this.add(this.files.find(node.$ref), isSchema);
  }

  private pattern(schema: Json): void {
    const { pattern, patternProperties } = schema;
    const own: [object, string, string][] = typeof pattern === "string" ? [[schema, "pattern", pattern]] : [];
    const names = isObject(patternProperties) ? patternProperties : {};
    for (const name of Object.keys(names)) own.push([names, name, name]);
    for (const [node, key, source] of own) {
      const hazard = findHazard(source);
      if (hazard !== undefined) this.report(node, key, `pattern ${JSON.stringify(source)} ${hazard}`);
    }
  }
}
