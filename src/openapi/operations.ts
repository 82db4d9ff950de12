import { dirname, resolve } from "node:path";
import type {
  Operation,
  Parameter,
  ResponseSpec,
  SecurityRequirement,
  SecurityScheme,
  SourceLocation,
  SpecInfo,
} from "../core/operation.ts";
import type { Work } from "../core/pace.ts";
import { pathNames } from "../core/path-expression.ts";
import { complete } from "../core/slices.ts";
import { bundleSchema } from "./bundle.ts";
import { exportDocument } from "./export-document.ts";
import { SpecFiles } from "./files.ts";
import { joinFragments } from "./fragments.ts";
import { findText, isObject, type Json, parsePointer, toList, toObject, toPointer } from "./json.ts";
import { MediaReader } from "./media.ts";
import { locateAll } from "./positions.ts";
import { ReadableFolders } from "./readable-folders.ts";
import { toBasePath, toBasePaths, toServerUrl } from "./servers.ts";
import { toVersion3 } from "./swagger2.ts";

export const METHODS = ["get", "put", "post", "delete", "options", "head", "patch", "trace", "query"];

/** A document, brought to the one model. */
export interface Spec {
  readonly info: SpecInfo;
  /** Path of the first server; empty when there is none. */
  readonly basePath: string;
  readonly securitySchemes: ReadonlyMap<string, SecurityScheme>;
  readonly operations: readonly Operation[];
  /** What it was made of: for lints and exports. */
  readonly files: SpecFiles;
  /** In the shape of 3.x, not yet upgraded inside. */
  readonly source: Json;
  /** `info.document`, for who has other things to do beside. */
  exported(): Work<Json>;
}

/**
 * @param prefix what stands before every template; undefined takes the path of the first server
 * @param readable what its references may read. Default: its own folder
 * @throws SpecError for what cannot be read or has no one meaning
 */
export const toSpec = (document: Json, file: string, prefix: string | undefined, readable?: ReadableFolders): Spec =>
  complete(readSpec(document, file, prefix, readable));

/** `toSpec` in steps. */
export function* readSpec(
  document: Json,
  file: string,
  prefix: string | undefined,
  readable = new ReadableFolders(dirname(resolve(file))),
): Work<Spec> {
  const files = yield* SpecFiles.open(document, file, readable);
  const source = files.version === "2.0" ? toVersion3(files) : document;
  const about = files.resolve(source.info);
  let exportedBefore: WeakRef<Json> | undefined;
  const exported = function* (): Work<Json> {
    // Made when asked for, and kept only as long as there is room: of a large document it is a second copy.
    const made = exportedBefore?.deref() ?? (yield* exportDocument(files, source));
    exportedBefore = new WeakRef(made);
    return made;
  };
  const info: SpecInfo = {
    title: findText(about.title) ?? file,
    version: String(about.version ?? ""),
    file,
    get document() {
      return complete(exported());
    },
    bundle: (schema) => bundleSchema(files, schema),
  };
  const builder = new OperationBuilder(files, source, info, prefix);
  return {
    info,
    basePath: toBasePath(source.servers),
    securitySchemes: toSecuritySchemes(files, source),
    operations: joinFragments(yield* builder.operations()),
    files,
    source,
    exported,
  };
}

function toSecuritySchemes(files: SpecFiles, source: Json): Map<string, SecurityScheme> {
  const schemes = new Map<string, SecurityScheme>();
  for (const [name, value] of Object.entries(toObject(toObject(source.components).securitySchemes))) {
    const scheme = files.resolve(value);
    schemes.set(name, {
      name,
      type: scheme.type as SecurityScheme["type"],
      in: findText(scheme.in) as SecurityScheme["in"],
      parameterName: findText(scheme.name),
      scheme: findText(scheme.scheme)?.toLowerCase(),
      openIdConnectUrl: findText(scheme.openIdConnectUrl),
    });
  }
  return schemes;
}

class OperationBuilder {
  private readonly files: SpecFiles;
  private readonly source: Json;
  private readonly info: SpecInfo;
  private readonly prefix: string | undefined;
  private readonly media: MediaReader;
  private readonly ids = new Set<string>();
  private readonly places: string[][] = [];
  private readonly addresses = new Map<unknown, Pick<Operation, "bases" | "servers">>();
  private located: Map<string, SourceLocation> | undefined;

  constructor(files: SpecFiles, source: Json, info: SpecInfo, prefix: string | undefined) {
    this.files = files;
    this.source = source;
    this.info = info;
    this.prefix = prefix;
    this.media = new MediaReader(files);
  }

  *operations(): Work<Operation[]> {
    const operations: Operation[] = [];
    for (const [path, value] of Object.entries(toObject(this.source.paths))) {
      if (path.startsWith("x-")) continue;
      yield;
      const item = this.inFull(value);
      for (const method of METHODS) {
        if (isObject(item[method])) operations.push(this.operation(path, method.toUpperCase(), item[method], item));
      }
      for (const [method, operation] of Object.entries(toObject(item.additionalOperations))) {
        if (isObject(operation)) operations.push(this.operation(path, method, operation, item));
      }
    }
    return operations;
  }

  /** What stands beside a `$ref` wins over what it refers to: the specification leaves it open, authors mean this. */
  private inFull(value: unknown): Json {
    const own = toObject(value);
    return typeof own.$ref === "string" ? { ...this.files.resolve(own), ...own } : own;
  }

  private operation(path: string, method: string, written: Json, item: Json): Operation {
    const source = this.inFull(written);
    // A path without its slash can only mean the one with it.
    const template = path.startsWith("/") ? path : `/${path}`;
    const servers = [source.servers, item.servers, this.source.servers]
      .map((list) => toList(this.files.open(list)))
      .find((list) => list.length > 0);
    const { bases, servers: urls } = this.addressesOf(servers);
    return {
      id: this.uniqueId(findText(source.operationId), `${method} ${path}`),
      method,
      path: template,
      publicPath: bases[0] + template,
      bases,
      summary: findText(source.summary) ?? findText(item.summary),
      tags: toList(source.tags).map(String),
      deprecated: source.deprecated === true,
      parameters: this.parameters(template, item.parameters, source.parameters),
      requestBody: source.requestBody === undefined ? undefined : this.media.requestBody(source.requestBody),
      responses: this.responses(source.responses),
      security: toList(source.security ?? this.source.security).map((value) => this.requirement(value)),
      servers: urls,
      extensions: toExtensions(source),
      location: this.location(path, method, item),
      spec: this.info,
    };
  }

  private requirement(value: unknown): SecurityRequirement {
    return Object.entries(toObject(value)).map(([named, scopes]) => ({
      scheme: toSchemeName(named, this.source.$self),
      scopes: toList(scopes).map(String),
    }));
  }

  /** Most operations have the servers of the document. */
  private addressesOf(servers: readonly unknown[] | undefined): Pick<Operation, "bases" | "servers"> {
    let known = this.addresses.get(servers);
    if (known === undefined) {
      const bases = this.prefix === undefined ? toBasePaths(servers) : [this.prefix];
      known = { bases, servers: toList(servers).map(toServerUrl) };
      this.addresses.set(servers, known);
    }
    return known;
  }

  private uniqueId(given: string | undefined, fallback: string): string {
    const id = given === undefined || given === "" || this.ids.has(given) ? fallback : given;
    this.ids.add(id);
    return id;
  }

  private parameters(path: string, shared: unknown, own: unknown): Parameter[] {
    const parameters = new Map<string, Parameter>();
    const names = new Set(pathNames(path));
    for (const value of [...toList(this.files.open(shared)), ...toList(this.files.open(own))]) {
      const parameter = this.media.findParameter(value);
      // A path parameter that the template does not have could never be sent: the template is what clients see.
      if (parameter === undefined || (parameter.in === "path" && !names.has(parameter.name))) continue;
      parameters.set(`${parameter.in} ${parameter.name}`, parameter);
    }
    return [...parameters.values()];
  }

  private responses(source: unknown): Map<string, ResponseSpec> {
    const responses = new Map<string, ResponseSpec>();
    for (const [status, value] of Object.entries(toObject(source))) {
      if (status.startsWith("x-")) continue;
      responses.set(status === "default" ? status : status.toUpperCase(), this.media.response(value));
    }
    return responses;
  }

  /** Line and column are found for all operations at once, when the first is asked for. */
  private location(path: string, method: string, item: Json): SourceLocation {
    const isCommon = METHODS.includes(method.toLowerCase()) && item[method.toLowerCase()] !== undefined;
    const steps = isCommon ? [method.toLowerCase()] : ["additionalOperations", method];
    const place = ["paths", path, ...steps];
    this.places.push(place);
    const { file } = this.info;
    const find = (): SourceLocation | undefined => {
      this.located ??= locateAll(file, this.places.map(toPointer));
      return this.located.get(toPointer(place));
    };
    return {
      file,
      get line() {
        return find()?.line;
      },
      get column() {
        return find()?.column;
      },
    };
  }
}

function toExtensions(source: Json): Readonly<Record<string, unknown>> {
  const extensions: Json = {};
  for (const key in source) if (key.startsWith("x-")) extensions[key] = source[key];
  return extensions;
}

/** A requirement may name a scheme by its URI, too (3.2 §4.30). */
export function toSchemeName(named: string, self: unknown): string {
  const hash = named.indexOf("#/components/securitySchemes/");
  const isOwn = hash === 0 || (hash > 0 && named.slice(0, hash) === self);
  return isOwn ? (parsePointer(named.slice(hash + 1))[2] ?? named) : named;
}
