import type { Work } from "../core/pace.ts";
import type { Dialect, Dialects } from "./dialect.ts";
import { isObject, type Json, toPointer } from "./json.ts";
import { MAX_DEPTH } from "./parse.ts";
import { SpecError } from "./spec-error.ts";
import { LIST, SINGLE } from "./subschemas.ts";

/** A reference that does not simply point into the root document. */
export interface FoundReference {
  readonly holder: Json;
  /** `$ref`, `$dynamicRef`, `$recursiveRef`, or a key of a discriminator's mapping. */
  readonly key: string;
  readonly base: string;
  readonly path: readonly string[];
}

/** What a file says about itself and about others. */
export interface FileIndex {
  readonly references: FoundReference[];
  /** Mappings of names (`schemas`, `paths`, `properties` …) that have a `$ref` beside the names, or in their place. */
  readonly spliced: Json[];
  /** Distinct `#/…` of the root document, each with the place of the first. */
  readonly local: Map<string, readonly string[]>;
  /** Pointer of each schema with an `$id`, by absolute URI. */
  readonly identified: Map<string, string>;
  /** Pointer of each `$anchor` and `$dynamicAnchor`, by absolute URI with fragment. */
  readonly anchors: Map<string, string>;
  /** For each resource (a file or a schema with `$id`, by URI), its dynamic anchors. */
  readonly dynamic: Map<string, Map<string, string>>;
}

/** Keys whose value is a mapping from names that the author chose: `$ref` or `default` in it are names. */
export const NAME_MAPS = new Set(
  (
    "properties patternProperties $defs definitions dependentSchemas dependencies schemas responses parameters headers examples " +
    "requestBodies securitySchemes securityDefinitions links callbacks pathItems paths webhooks content encoding mediaTypes"
  ).split(" "),
);
/** Of those, the ones whose names stand for schemas. */
const SCHEMA_MAPS = new Set(
  "properties patternProperties $defs definitions dependentSchemas dependencies schemas".split(" "),
);
/** Keys of OpenAPI under which a schema stands. */
const SCHEMA_HOLDERS = new Set(["schema", "itemSchema"]);
/** Keys whose value is data: what looks like a reference in it is none. */
const DATA = new Set(["example", "default", "const", "enum", "value", "dataValue"]);

/** What a reference of `$recursiveRef` looks for, among the dynamic anchors: the anchor has no name. */
export const RECURSIVE_ANCHOR = "$recursiveAnchor";

/** What a node is part of: in what is not known to be a schema, a `$id` that names one is taken at its word. */
type Part = "document" | "schema" | "unknown keyword";

/** Where a node stands. */
interface Surroundings {
  readonly base: string;
  readonly part: Part;
  readonly dialect: Dialect;
}

export interface IndexedFile {
  readonly file: string;
  /** Its URI, against which its references are resolved. */
  readonly base: string;
  /** References of the root into itself are only counted: they need no rewriting. */
  readonly isRoot: boolean;
  readonly dialects: Dialects;
  /** Whether `$schema` says what a schema is written in: no word of Swagger 2.0 and OpenAPI 3.0. */
  readonly hasDialects: boolean;
}

export function* indexFile(root: unknown, about: IndexedFile): Work<FileIndex> {
  const index: FileIndex = {
    references: [],
    spliced: [],
    local: new Map(),
    identified: new Map(),
    anchors: new Map(),
    dynamic: new Map(),
  };
  if (typeof root === "object" && root !== null) yield* new Indexer(index, about).run(root as Json | unknown[]);
  return index;
}

/** Paths and components are walked one by one, so that there is a moment between them. */
const PUT_OFF_DEPTH = 3;

interface PutOff {
  readonly node: Json | unknown[];
  readonly isNameMap: boolean;
  readonly at: Surroundings;
  readonly path: string[];
}

class Indexer {
  private readonly index: FileIndex;
  private readonly about: IndexedFile;
  private readonly rootBase: string | undefined;
  private readonly path: string[] = [];
  private readonly pending: PutOff[] = [];

  constructor(index: FileIndex, about: IndexedFile) {
    this.index = index;
    this.about = about;
    this.rootBase = about.isRoot ? about.base : undefined;
  }

  *run(root: Json | unknown[]): Work<void> {
    const { base, isRoot } = this.about;
    const dialect = this.about.dialects.usual;
    const isSchema = !isRoot && isObject(root) && (typeof root.$schema === "string" || typeof root.$id === "string");
    this.walk(root, false, { base, dialect, part: isSchema ? "schema" : "document" });
    // It grows while it is gone through.
    for (const next of this.pending) {
      this.path.splice(0, this.path.length, ...next.path);
      this.walk(next.node, next.isNameMap, next.at);
      yield;
    }
  }

  private walk(node: Json | unknown[], isNameMap: boolean, at: Surroundings): void {
    if (this.path.length > MAX_DEPTH) {
      const where = toPointer(this.path.slice(0, 8));
      throw new SpecError(`is nested deeper than ${MAX_DEPTH} levels below #${where}`, { file: this.about.file });
    }
    if (Array.isArray(node)) {
      for (let i = 0; i < node.length; i++) this.step(node[i], String(i), false, at);
      return;
    }
    const inner = isNameMap || at.part === "unknown keyword" ? at : this.identify(node, at);
    if (inner.dialect !== this.about.dialects.usual) this.about.dialects.note(node, inner.dialect);
    for (const key in node) {
      const value = node[key];
      if (typeof value === "object" && value !== null) {
        if (isNameMap) this.step(value, key, false, inner);
        else if (!isData(key, value)) {
          this.step(value, key, NAME_MAPS.has(key) && !Array.isArray(value), within(inner, key));
        }
        if (key === "discriminator" && !isNameMap) this.mapping((value as Json).mapping, inner.base);
      } else if (typeof value === "string" && (key === "$ref" || (!isNameMap && isDynamic(key, inner.dialect)))) {
        // What a name stands for is never a string: in a mapping of names, too, it is a reference.
        const isSpliced = isNameMap || (this.path.length === 1 && this.path[0] === "components");
        if (isSpliced) this.index.spliced.push(node);
        this.reference(node, key, value, inner.base, isSpliced);
      }
    }
  }

  private step(value: unknown, key: string, isNameMap: boolean, at: Surroundings): void {
    if (typeof value !== "object" || value === null) return;
    this.path.push(key);
    if (this.path.length <= PUT_OFF_DEPTH) {
      this.pending.push({ node: value as Json, isNameMap, at, path: [...this.path] });
    } else {
      this.walk(value as Json, isNameMap, at);
    }
    this.path.pop();
  }

  private reference(holder: Json, key: string, value: string, base: string, isSpliced: boolean): void {
    if (key === "$ref" && !isSpliced && base === this.rootBase && value.startsWith("#/")) {
      if (!this.index.local.has(value)) this.index.local.set(value, [...this.path]);
    } else {
      this.index.references.push({ holder, key, base, path: [...this.path] });
    }
  }

  private mapping(mapping: unknown, base: string): void {
    if (!isObject(mapping)) return;
    for (const [key, value] of Object.entries(mapping)) {
      if (typeof value !== "string" || !/[#/.]/.test(value)) continue;
      if (base === this.rootBase && value.startsWith("#/")) continue;
      this.index.references.push({ holder: mapping, key, base, path: [...this.path, "discriminator", "mapping"] });
    }
  }

  /** What a node says of itself: its dialect, its name, its anchors. @returns what holds inside it */
  private identify(node: Json, at: Surroundings): Surroundings {
    // Of an OpenAPI document `$schema` says what checks the document, and not what its schemas are written in.
    const { dialects, hasDialects, isRoot } = this.about;
    const isNamed = hasDialects && typeof node.$schema === "string" && !(isRoot && this.path.length === 0);
    const dialect = isNamed ? dialects.named(node.$schema as string) : at.dialect;
    const { base, name } = this.nameOf(node, at.base, dialect);
    if (base !== at.base) this.index.identified.set(base, toPointer(this.path));
    const { $anchor, $dynamicAnchor } = node;
    for (const anchor of [name, dialect.unknown.has("$anchor") ? undefined : $anchor]) {
      if (typeof anchor === "string") this.index.anchors.set(`${base}#${anchor}`, toPointer(this.path));
    }
    if (typeof $dynamicAnchor === "string" && !dialect.unknown.has("$dynamicAnchor")) {
      this.index.anchors.set(`${base}#${$dynamicAnchor}`, toPointer(this.path));
      this.addDynamic(base, $dynamicAnchor);
    }
    if (node[RECURSIVE_ANCHOR] === true && !dialect.unknown.has(RECURSIVE_ANCHOR))
      this.addDynamic(base, RECURSIVE_ANCHOR);
    return base === at.base && dialect === at.dialect ? at : { base, dialect, part: at.part };
  }

  /** @returns the URI against which what is inside is resolved, and the anchor, where a node names itself by one */
  private nameOf(node: Json, base: string, dialect: Dialect): { base: string; name: string | undefined } {
    const id = node[dialect.id];
    const isIgnored = dialect.isReferenceAlone && typeof node.$ref === "string";
    if (typeof id !== "string" || isIgnored || !URL.canParse(id, base)) return { base, name: undefined };
    const uri = new URL(id, base).href.replace(/#$/, "");
    const hash = dialect.hasNamedIds ? uri.indexOf("#") : -1;
    return hash < 0 ? { base: uri, name: undefined } : { base: uri.slice(0, hash), name: uri.slice(hash + 1) };
  }

  private addDynamic(base: string, name: string): void {
    const anchors = this.index.dynamic.get(base) ?? new Map<string, string>();
    anchors.set(name, toPointer(this.path));
    this.index.dynamic.set(base, anchors);
  }
}

const isDynamic = (key: string, { unknown }: Dialect): boolean =>
  (key === "$dynamicRef" || key === "$recursiveRef") && !unknown.has(key);

/** What holds under a key of a node. */
function within(at: Surroundings, key: string): Surroundings {
  if (at.part === "unknown keyword") return at;
  const isSchema = SINGLE.has(key) || LIST.has(key) || SCHEMA_MAPS.has(key) || SCHEMA_HOLDERS.has(key);
  const part = isSchema ? "schema" : at.part === "schema" ? "unknown keyword" : "document";
  return part === at.part ? at : { ...at, part };
}

export const isData = (key: string, value: object): boolean =>
  DATA.has(key) || key.startsWith("x-") || (key === "examples" && Array.isArray(value));
