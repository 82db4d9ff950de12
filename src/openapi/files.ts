import { dirname, relative, resolve, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { SourceLocation } from "../core/operation.ts";
import type { Work } from "../core/pace.ts";
import { complete } from "../core/slices.ts";
import { type Dialect, Dialects } from "./dialect.ts";
import { type FileIndex, type FoundReference, indexFile, RECURSIVE_ANCHOR } from "./index-file.ts";
import { isObject, type Json, toObject, toPointer } from "./json.ts";
import { Lookup } from "./lookup.ts";
import { findMetaSchema, isMetaSchemaUri } from "./meta-schemas.ts";
import { isThere, NamedFiles } from "./named-files.ts";
import { MAX_DEPTH } from "./parse.ts";
import { Places } from "./places.ts";
import { locateAll } from "./positions.ts";
import type { ReadableFolders } from "./readable-folders.ts";
import { findUri, type ReferenceUri } from "./reference-uri.ts";
import { ReferencedFiles } from "./referenced-files.ts";
import { SpecError } from "./spec-error.ts";
import { endsNowhere, findChildren, findLongChain } from "./subschemas.ts";
import { detectVersion, type SpecVersion } from "./version.ts";

interface LoadedFile {
  /** Of a schema that describes JSON Schema, its URI: it is no file of anybody's. */
  readonly file: string;
  readonly base: string;
  /** How the document names itself (`$self` of 3.2). */
  readonly self: string | undefined;
  /** A mapping, a list, a boolean schema, or text that is no YAML. */
  readonly value: object | string | boolean;
  readonly index: FileIndex;
}

/**
 * A document and all files that it refers to. Each reference in them has one of two forms: `#/pointer` of the root
 * document, or `path/from/its/folder.yaml#/pointer`. So nobody after this needs to know of bases or anchors.
 */
export class SpecFiles {
  readonly file: string;
  readonly root: Json;
  readonly version: SpecVersion;
  private readonly folder: string;
  private readonly referenced: ReferencedFiles;
  private readonly named: NamedFiles;
  private readonly loaded = new Map<string, LoadedFile>();
  private readonly identified = new Map<string, string>();
  private readonly anchors = new Map<string, string>();
  private readonly lookup = new Lookup((name) => this.loaded.get(this.fileOf(name))?.value);
  /** Until every reference has its final form, chains of them cannot be followed. */
  private readonly pendingChecks: (() => undefined)[] = [];
  private children: Map<string, string[]> | undefined;
  private readonly dialects: Dialects;
  /** By canonical reference of a resource, the canonical references of its dynamic anchors. */
  readonly dynamicAnchors = new Map<string, ReadonlyMap<string, string>>();
  /** The anchor's name, of each `$dynamicRef` that means the outermost of that name. */
  readonly dynamicNames = new WeakMap<Json, string>();

  private constructor(root: Json, file: string, readable: ReadableFolders) {
    this.file = resolve(file);
    this.referenced = new ReferencedFiles(readable);
    this.root = root;
    this.version = detectVersion(root, this.file);
    this.folder = dirname(this.file);
    this.named = new NamedFiles(this.folder);
    this.dialects = new Dialects(root, this.version, (uri) => this.findNamed(uri));
  }

  /** @throws SpecError for a reference to elsewhere, to nothing or in a circle, and for what is too deep */
  static *open(root: Json, file: string, readable: ReadableFolders): Work<SpecFiles> {
    const files = new SpecFiles(root, file, readable);
    yield* files.load(files.file, root);
    yield* files.connect();
    return files;
  }

  private *connect(): Work<void> {
    for (const loaded of this.loaded.values()) {
      for (const reference of loaded.index.references) yield this.canonicalise(loaded, reference);
    }
    for (const { index } of this.loaded.values()) for (const holder of index.spliced) this.splice(holder);
    for (const check of this.pendingChecks.splice(0)) yield check();
    const { local } = (this.loaded.get(this.file) as LoadedFile).index;
    for (const [reference, path] of local) yield this.mustExist(reference, this.file, path);
    const endless = findLongChain(local.keys(), MAX_DEPTH, (reference) => this.find(reference));
    if (endless !== undefined) {
      const message = `${endless} is made of more than ${MAX_DEPTH} schemas, each referring to the next`;
      throw new SpecError(message, this.locate(endless));
    }
  }

  /** What a canonical reference points to. */
  find(reference: string): unknown {
    return this.lookup.find(reference);
  }

  /** Whether it is one file without identifiers: then its own text already is the whole. */
  get isSelfContained(): boolean {
    return [...this.loaded.values()].every(({ index }) => index.references.length === 0 && index.identified.size === 0);
  }

  /** Every file that it is made of. */
  get paths(): Iterable<string> {
    return [...this.loaded.keys()].filter((file) => !isMetaSchemaUri(file));
  }

  /** What a schema is written in. */
  dialectOf(schema: object): Dialect {
    return this.dialects.of(schema);
  }

  /** Canonical references of every file and every schema with an `$id`. */
  get resources(): Iterable<string> {
    return this.identified.values();
  }

  /** For each named schema of the root, those that have it in their `allOf`. */
  get childrenByBase(): ReadonlyMap<string, readonly string[]> {
    this.children ??= findChildren(this.root);
    return this.children;
  }

  /** Follows a chain of references to the object at its end; the outer summary and description win. */
  resolve(value: unknown): Json {
    let seen: Set<string> | undefined;
    let node = toObject(value);
    while (typeof node.$ref === "string") {
      const reference = node.$ref;
      seen ??= new Set();
      if (seen.has(reference))
        throw new SpecError(`the reference ${reference} leads to itself`, this.locate(reference));
      seen.add(reference);
      node = toObject(this.find(reference));
    }
    return node;
  }

  /** What a value is once references are followed: a list or a text, too, where documents put one into a file of its own. */
  open(value: unknown): unknown {
    if (!isObject(value) || typeof value.$ref !== "string") return value;
    const target = this.find(value.$ref);
    return isObject(target) ? this.resolve(value) : target;
  }

  /** Where everything stands, for who looks at all of it. */
  places(): Places {
    return new Places(this.loaded.values(), this.file);
  }

  /** Where a canonical reference points to. */
  locate(reference: string): SourceLocation {
    const hash = reference.indexOf("#");
    const file = this.fileOf(reference.slice(0, Math.max(0, hash)));
    const pointer = reference.slice(hash + 1);
    return locateAll(file, [pointer]).get(pointer) ?? { file };
  }

  private *load(file: string, value: LoadedFile["value"]): Work<void> {
    const isBuiltIn = isMetaSchemaUri(file);
    const base = isBuiltIn ? file : pathToFileURL(file).href;
    const isRoot = file === this.file;
    const { dialects } = this;
    const hasDialects = isBuiltIn || dialects.hasNames;
    const index = yield* indexFile(value, { file, base, isRoot, dialects, hasDialects });
    const prefix = this.canonicalPrefix(file);
    const { $self } = toObject(value);
    const self = typeof $self === "string" && URL.canParse($self, base) ? new URL($self, base).href : undefined;
    const loaded: LoadedFile = { file, base, self, value, index };
    this.loaded.set(file, loaded);
    this.identified.set(base, prefix);
    if (self !== undefined) this.identified.set(self, prefix);
    for (const [uri, pointer] of index.identified) this.identified.set(uri, prefix + pointer);
    for (const [uri, pointer] of index.anchors) this.anchors.set(uri, prefix + pointer);
    for (const [uri, names] of index.dynamic) {
      const resource = this.identified.get(uri) ?? prefix;
      this.dynamicAnchors.set(resource, new Map([...names].map(([name, pointer]) => [name, prefix + pointer])));
    }
    for (const reference of index.references) yield* this.loadTarget(loaded, reference);
  }

  /** Reads the file that a reference names, unless something that is here already has that name. */
  private *loadTarget(from: LoadedFile, { holder, key, base, path }: FoundReference): Work<void> {
    const text = String(holder[key]);
    const { resource } = this.uriOf(text, base, from, path);
    if (this.identified.has(resource)) return;
    const metaSchema = findMetaSchema(resource);
    if (metaSchema !== undefined) {
      yield* this.load(resource, metaSchema);
      return;
    }
    // Another file may yet call itself so: only when all are read is it wrong.
    if (!resource.startsWith("file:///") || /^file:/i.test(text)) return;
    // An encoded slash is no slash to a URL and one to a file system: no honest reference has it.
    if (/%(2f|5c|00)/i.test(resource)) {
      throw new SpecError(`$ref "${text}" hides a slash in its file name`, this.place(from.file, path));
    }
    const file = fileURLToPath(resource);
    yield* this.load(file, yield* this.readInside(file, text, from, path));
  }

  /** A schema of the folder by the name that it gives itself. */
  private findNamed(uri: string): unknown {
    const file = this.named.find(uri);
    if (file === undefined) return undefined;
    const open = this.referenced.open(file, uri, (message, cause) => {
      throw new SpecError(message, { file: this.file }, { cause });
    });
    return complete(open);
  }

  private readInside(file: string, text: string, from: LoadedFile, path: readonly string[]): Work<LoadedFile["value"]> {
    return this.referenced.open(file, text, (message, cause) => {
      throw new SpecError(message, this.place(from.file, path), { cause });
    });
  }

  private canonicalise(from: LoadedFile, reference: FoundReference): undefined {
    const { holder, key, base, path } = reference;
    const text = String(holder[key]);
    const { resource, fragment } = this.uriOf(text, base, from, path);
    const prefix = this.identified.get(resource);
    if (prefix === undefined) {
      throw new SpecError(
        `$ref "${text}" is not fetched: only files in the folder of the spec are read; save it there with that $id, or refer to the file`,
        this.place(from.file, path),
      );
    }
    // An anchor has no slash: `#components/…` can only mean the pointer.
    const pointer = fragment.includes("/") && !fragment.startsWith("/") ? `/${fragment}` : fragment;
    const isPointer = pointer === "" || pointer.startsWith("/");
    const target = isPointer ? prefix + pointer : this.anchors.get(`${resource}#${fragment}`);
    if (target === undefined)
      throw new SpecError(`$ref "${text}" points to nothing: there is no such anchor`, this.place(from.file, path));
    const name = key === "$recursiveRef" ? RECURSIVE_ANCHOR : fragment;
    const isMoving = key === "$dynamicRef" || key === "$recursiveRef";
    if (isMoving && this.isDynamic(target, name)) this.dynamicNames.set(holder, name);
    holder[key] = target;
    if (path.at(-1) !== "mapping") this.pendingChecks.push(() => this.mustExist(target, from.file, path, text));
  }

  /** Puts the names of another mapping into this one, as `schemas: { $ref: schemas.yaml }` asks for. */
  private splice(holder: Json): void {
    const names = this.open(holder);
    if (!isObject(names)) return;
    delete holder.$ref;
    for (const [name, value] of Object.entries(names)) if (!Object.hasOwn(holder, name)) holder[name] = value;
  }

  private isDynamic(target: string, name: string): boolean {
    const { $dynamicAnchor, $recursiveAnchor } = toObject(this.find(target));
    return name === RECURSIVE_ANCHOR ? $recursiveAnchor === true : $dynamicAnchor === name;
  }

  private mustExist(reference: string, file: string, path: readonly string[], text = reference): undefined {
    const target = this.find(reference);
    if (target !== undefined) {
      if (!endsNowhere(target, (next) => this.find(next))) return;
      const message = `$ref "${reference}" leads back to itself: there is nothing at its end`;
      throw new SpecError(message, this.place(file, path));
    }
    throw new SpecError(`$ref "${text}" points to nothing; is the name right?`, this.place(file, path));
  }

  /** By the document's own name first, where it has one and somebody here answers to the outcome; else by its file's. */
  private uriOf(text: string, base: string, from: LoadedFile, path: readonly string[]): ReferenceUri {
    const own = from.self !== undefined && base === from.base ? findUri(text, from.self) : undefined;
    if (own !== undefined && this.identified.has(own.resource)) return own;
    const uri = findUri(text, base);
    if (uri === undefined) throw new SpecError(`$ref "${text}" is not a URI reference`, this.place(from.file, path));
    if (this.identified.has(uri.resource) || isMetaSchemaUri(uri.resource) || isThere(uri.resource)) return uri;
    for (const known of own === undefined ? [uri] : [own, uri]) {
      const file = this.named.find(known.resource);
      if (file === undefined || this.loaded.has(file)) continue;
      complete(this.load(file, complete(this.readInside(file, text, from, path))));
      if (this.identified.has(known.resource)) return known;
    }
    return uri;
  }

  private place(file: string, path: readonly string[]): SourceLocation {
    const pointer = toPointer(path);
    return locateAll(file, [pointer]).get(pointer) ?? { file };
  }

  /** @param name the part of a canonical reference before its `#` */
  private fileOf(name: string): string {
    if (name === "") return this.file;
    return isMetaSchemaUri(name) ? name : resolve(this.folder, name);
  }

  private canonicalPrefix(file: string): string {
    if (isMetaSchemaUri(file)) return `${file}#`;
    return file === this.file ? "#" : `${relative(this.folder, file).split(sep).join("/")}#`;
  }
}
