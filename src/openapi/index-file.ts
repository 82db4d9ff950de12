import type { Work } from "../core/pace.ts";
import { isObject, type Json, toPointer } from "./json.ts";
import { MAX_DEPTH } from "./parse.ts";
import { SpecError } from "./spec-error.ts";

/** A reference that does not simply point into the root document. */
export interface FoundReference {
  readonly holder: Json;
  /** `$ref`, `$dynamicRef`, or a key of a discriminator's mapping. */
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
    "properties patternProperties $defs definitions dependentSchemas schemas responses parameters headers examples " +
    "requestBodies securitySchemes securityDefinitions links callbacks pathItems paths webhooks content encoding mediaTypes"
  ).split(" "),
);
/** Keys whose value is data: what looks like a reference in it is none. */
const DATA = new Set(["example", "default", "const", "enum", "value", "dataValue"]);

/** @param isRoot references of the root into itself are only counted: they need no rewriting */
export function* indexFile(root: unknown, file: string, base: string, isRoot: boolean): Work<FileIndex> {
  const index: FileIndex = {
    references: [],
    spliced: [],
    local: new Map(),
    identified: new Map(),
    anchors: new Map(),
    dynamic: new Map(),
  };
  if (typeof root === "object" && root !== null) {
    yield* new Indexer(index, file, isRoot ? base : undefined).run(root as Json | unknown[], base);
  }
  return index;
}

/** Paths and components are walked one by one, so that there is a moment between them. */
const PUT_OFF_DEPTH = 3;

class Indexer {
  private readonly index: FileIndex;
  private readonly file: string;
  private readonly rootBase: string | undefined;
  private readonly path: string[] = [];
  private readonly pending: { node: Json | unknown[]; isNameMap: boolean; base: string; path: string[] }[] = [];

  constructor(index: FileIndex, file: string, rootBase: string | undefined) {
    this.index = index;
    this.file = file;
    this.rootBase = rootBase;
  }

  *run(root: Json | unknown[], base: string): Work<void> {
    this.walk(root, false, base);
    // It grows while it is gone through.
    for (const next of this.pending) {
      this.path.splice(0, this.path.length, ...next.path);
      this.walk(next.node, next.isNameMap, next.base);
      yield;
    }
  }

  private walk(node: Json | unknown[], isNameMap: boolean, base: string): void {
    if (this.path.length > MAX_DEPTH) {
      const where = toPointer(this.path.slice(0, 8));
      throw new SpecError(`is nested deeper than ${MAX_DEPTH} levels below #${where}`, { file: this.file });
    }
    if (Array.isArray(node)) {
      for (let i = 0; i < node.length; i++) this.step(node[i], String(i), false, base);
      return;
    }
    const inner = isNameMap ? base : this.identify(node, base);
    for (const key in node) {
      const value = node[key];
      if (typeof value === "object" && value !== null) {
        if (isNameMap) this.step(value, key, false, inner);
        else if (!isData(key, value)) this.step(value, key, NAME_MAPS.has(key) && !Array.isArray(value), inner);
        if (key === "discriminator" && !isNameMap) this.mapping((value as Json).mapping, inner);
      } else if (typeof value === "string" && (key === "$ref" || (key === "$dynamicRef" && !isNameMap))) {
        // What a name stands for is never a string: in a mapping of names, too, it is a reference.
        const isSpliced = isNameMap || (this.path.length === 1 && this.path[0] === "components");
        if (isSpliced) this.index.spliced.push(node);
        this.reference(node, key, value, inner, isSpliced);
      }
    }
  }

  private step(value: unknown, key: string, isNameMap: boolean, base: string): void {
    if (typeof value !== "object" || value === null) return;
    this.path.push(key);
    if (this.path.length <= PUT_OFF_DEPTH) {
      this.pending.push({ node: value as Json, isNameMap, base, path: [...this.path] });
    } else {
      this.walk(value as Json, isNameMap, base);
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

  /** @returns the base URI of what is inside the node */
  private identify(node: Json, base: string): string {
    const { $id, $anchor, $dynamicAnchor } = node;
    let inner = base;
    if (typeof $id === "string" && URL.canParse($id, base)) {
      inner = new URL($id, base).href.replace(/#$/, "");
      this.index.identified.set(inner, toPointer(this.path));
    }
    for (const anchor of [$anchor, $dynamicAnchor]) {
      if (typeof anchor === "string") this.index.anchors.set(`${inner}#${anchor}`, toPointer(this.path));
    }
    if (typeof $dynamicAnchor === "string") {
      const anchors = this.index.dynamic.get(inner) ?? new Map<string, string>();
      anchors.set($dynamicAnchor, toPointer(this.path));
      this.index.dynamic.set(inner, anchors);
    }
    return inner;
  }
}

export const isData = (key: string, value: object): boolean =>
  DATA.has(key) || key.startsWith("x-") || (key === "examples" && Array.isArray(value));
