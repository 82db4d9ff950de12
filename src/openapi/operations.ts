import type {
  MediaType,
  Operation,
  Parameter,
  ParameterStyle,
  RequestBody,
  ResponseSpec,
  Schema,
  SecurityRequirement,
  SecurityScheme,
  SpecInfo,
} from "../core/operation.ts";
import { bundleSchema, resolveReference } from "./refs.ts";
import { SpecError } from "./spec-error.ts";

type Json = Record<string, unknown>;
const object = (value: unknown): Json =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {};
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

const METHODS = ["get", "put", "post", "delete", "options", "head", "patch", "trace", "query"];

/** A document, brought to the one model. */
export interface Spec {
  readonly info: SpecInfo;
  /** Path of the first server; empty when there is none. */
  readonly basePath: string;
  readonly securitySchemes: ReadonlyMap<string, SecurityScheme>;
  readonly operations: readonly Operation[];
}

/** @param prefix what stands before every template; undefined takes the path of the first server */
export function toSpec(document: Json, file: string, prefix: string | undefined): Spec {
  const info: SpecInfo = {
    title: text(object(document.info).title) ?? file,
    version: text(object(document.info).version) ?? "",
    file,
    document,
    bundle: (schema) => bundleSchema(document, schema),
  };
  const basePath = serverPath(list(document.servers)[0]);
  const builder = new OperationBuilder(document, info, prefix ?? basePath);
  return { info, basePath, securitySchemes: builder.securitySchemes(), operations: builder.operations() };
}

function serverPath(server: unknown): string {
  const { url, variables } = object(server);
  const filled = (text(url) ?? "/").replace(/\{([^}]*)\}/g, (_, name: string) =>
    String(object(object(variables)[name]).default ?? ""),
  );
  return URL.canParse(filled, "http://host/") ? new URL(filled, "http://host/").pathname.replace(/\/+$/, "") : "";
}

class OperationBuilder {
  private readonly document: Json;
  private readonly info: SpecInfo;
  private readonly prefix: string;

  constructor(document: Json, info: SpecInfo, prefix: string) {
    this.document = document;
    this.info = info;
    this.prefix = prefix;
  }

  operations(): Operation[] {
    const operations: Operation[] = [];
    for (const [path, item] of Object.entries(object(this.document.paths))) {
      if (!path.startsWith("/")) continue;
      const pathItem = this.resolve(item);
      for (const method of METHODS) {
        if (pathItem[method] !== undefined) operations.push(this.operation(path, method, pathItem));
      }
    }
    return operations;
  }

  securitySchemes(): Map<string, SecurityScheme> {
    const schemes = new Map<string, SecurityScheme>();
    for (const [name, value] of Object.entries(object(object(this.document.components).securitySchemes))) {
      const scheme = this.resolve(value);
      schemes.set(name, {
        name,
        type: scheme.type as SecurityScheme["type"],
        in: text(scheme.in) as SecurityScheme["in"],
        parameterName: text(scheme.name),
        scheme: text(scheme.scheme)?.toLowerCase(),
        openIdConnectUrl: text(scheme.openIdConnectUrl),
      });
    }
    return schemes;
  }

  private resolve(value: unknown): Json {
    return object(resolveReference(this.document, value));
  }

  private operation(path: string, method: string, pathItem: Json): Operation {
    const source = object(pathItem[method]);
    const upper = method.toUpperCase();
    const parameters = new Map<string, Parameter>();
    for (const value of [...list(pathItem.parameters), ...list(source.parameters)]) {
      const parameter = this.parameter(this.resolve(value), path);
      parameters.set(`${parameter.in} ${parameter.name}`, parameter);
    }
    return {
      id: text(source.operationId) ?? `${upper} ${path}`,
      method: upper,
      path,
      publicPath: this.prefix + path,
      summary: text(source.summary),
      tags: list(source.tags).map(String),
      deprecated: source.deprecated === true,
      parameters: [...parameters.values()],
      requestBody: source.requestBody === undefined ? undefined : this.requestBody(this.resolve(source.requestBody)),
      responses: new Map(
        Object.entries(object(source.responses)).map(([status, value]) => [
          status.toUpperCase().replace("DEFAULT", "default"),
          this.response(this.resolve(value)),
        ]),
      ),
      security: list(source.security ?? this.document.security).map(toRequirement),
      servers: list(source.servers ?? pathItem.servers ?? this.document.servers).map((s) => String(object(s).url)),
      extensions: Object.fromEntries(Object.entries(source).filter(([key]) => key.startsWith("x-"))),
      location: { file: this.info.file },
      spec: this.info,
    };
  }

  private parameter(source: Json, path: string): Parameter {
    const where = text(source.in) as Parameter["in"] | undefined;
    const name = text(source.name);
    if (where === undefined || name === undefined) {
      throw new SpecError(`a parameter of ${path} has no name or no \`in\``, { file: this.info.file });
    }
    const style = (text(source.style) ??
      (where === "path" || where === "header" ? "simple" : "form")) as ParameterStyle;
    return {
      name,
      in: where,
      required: source.required === true || where === "path",
      deprecated: source.deprecated === true,
      style,
      explode: typeof source.explode === "boolean" ? source.explode : style === "form",
      allowReserved: source.allowReserved === true,
      allowEmptyValue: source.allowEmptyValue === true,
      schema: source.schema as Schema | undefined,
      content: source.content === undefined ? undefined : this.content(source.content),
      example: source.example,
      examples: source.examples as Record<string, unknown> | undefined,
    };
  }

  private requestBody(source: Json): RequestBody {
    return { required: source.required === true, content: this.content(source.content) };
  }

  private response(source: Json): ResponseSpec {
    const headers = Object.entries(object(source.headers)).map(([name, value]) =>
      this.parameter({ ...this.resolve(value), name, in: "header" }, name),
    );
    return {
      description: text(source.description) ?? "",
      headers,
      content: this.content(source.content),
      links: object(source.links),
    };
  }

  private content(source: unknown): MediaType[] {
    return Object.entries(object(source)).map(([type, value]) => {
      const media = this.resolve(value);
      return {
        type,
        schema: media.schema as Schema | undefined,
        itemSchema: media.itemSchema as Schema | undefined,
        encoding: {},
        example: media.example,
        examples: media.examples as Record<string, unknown> | undefined,
      };
    });
  }
}

const toRequirement = (value: unknown): SecurityRequirement =>
  Object.entries(object(value)).map(([scheme, scopes]) => ({ scheme, scopes: list(scopes).map(String) }));
