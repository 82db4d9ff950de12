/**
 * The one model that every OpenAPI version is brought to: names of OpenAPI 3.2, schemas of JSON Schema 2020-12.
 * `openapi/` makes it; every other room reads it and nothing else of a document.
 */

/** JSON Schema 2020-12. A `$ref` in it is absolute; {@link SpecInfo.bundle} makes a schema self-contained. */
export type Schema = boolean | { readonly [keyword: string]: unknown };

/** Where something stands, for a message to a person. Lines and columns count from 1. */
export interface SourceLocation {
  readonly file: string;
  readonly line?: number | undefined;
  readonly column?: number | undefined;
}

export interface SpecInfo {
  readonly title: string;
  readonly version: string;
  /** The file it was read from. */
  readonly file: string;
  /** The whole document, upgraded, with absolute references: for the portal and for downloads. */
  readonly document: Readonly<Record<string, unknown>>;
  /** The same schema with all that it refers to inside its own `$defs`; not cached, so keep what you compile. */
  bundle(schema: Schema): Schema;
}

export type ParameterLocation = "path" | "query" | "querystring" | "header" | "cookie";
export type ParameterStyle =
  | "simple"
  | "label"
  | "matrix"
  | "form"
  | "spaceDelimited"
  | "pipeDelimited"
  /** Of Swagger 2.0 (`tsv`). */
  | "tabDelimited"
  | "deepObject"
  | "cookie";

export interface Parameter {
  readonly name: string;
  readonly in: ParameterLocation;
  readonly required: boolean;
  readonly deprecated: boolean;
  readonly style: ParameterStyle;
  readonly explode: boolean;
  readonly allowReserved: boolean;
  readonly allowEmptyValue: boolean;
  readonly schema: Schema | undefined;
  /** Instead of `schema`: one media type that the value is written in. */
  readonly content: readonly MediaType[] | undefined;
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, unknown>> | undefined;
}

export interface MediaType {
  /** As in the document: `application/json`, `image/*`, `text/plain; charset=utf-8`. */
  readonly type: string;
  readonly schema: Schema | undefined;
  /** 3.2: the schema of each item of a sequence (JSON lines, SSE, multipart/mixed). */
  readonly itemSchema: Schema | undefined;
  readonly encoding: Readonly<Record<string, Encoding>>;
  /** 3.2: of parts that have a place instead of a name, the first ones. */
  readonly prefixEncoding?: readonly Encoding[] | undefined;
  /** 3.2: of all parts after them. */
  readonly itemEncoding?: Encoding | undefined;
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, unknown>> | undefined;
}

export interface Encoding {
  readonly contentType: string | undefined;
  readonly headers: readonly Parameter[];
  readonly style: ParameterStyle | undefined;
  readonly explode: boolean | undefined;
  readonly allowReserved: boolean;
}

export interface RequestBody {
  readonly required: boolean;
  readonly content: readonly MediaType[];
}

export interface ResponseSpec {
  readonly description: string;
  readonly headers: readonly Parameter[];
  readonly content: readonly MediaType[];
  readonly links: Readonly<Record<string, unknown>>;
}

/** All schemes of one requirement must hold (and); one requirement of the list must (or). An empty one is anonymous access. */
export type SecurityRequirement = readonly { readonly scheme: string; readonly scopes: readonly string[] }[];

export interface SecurityScheme {
  readonly name: string;
  readonly type: "apiKey" | "http" | "oauth2" | "openIdConnect" | "mutualTLS";
  /** Of an `apiKey`. */
  readonly in?: "query" | "header" | "cookie" | undefined;
  readonly parameterName?: string | undefined;
  /** Of an `http` scheme, lower case: `basic`, `bearer`. */
  readonly scheme?: string | undefined;
  readonly openIdConnectUrl?: string | undefined;
}

/** By public name, which a reload keeps: for metrics and logs. */
export const nameOf = (operation: Pick<Operation, "method" | "publicPath">): string =>
  `${operation.method} ${operation.publicPath}`;

export interface Operation {
  /** `operationId`, or `GET /pets/{id}` where the document has none. Unique within its route. */
  readonly id: string;
  /** Upper case, or as written for an additional operation of 3.2. */
  readonly method: string;
  /** The template as the document has it: `/pets/{id}`. */
  readonly path: string;
  /** Where clients find it: prefix and template. */
  readonly publicPath: string;
  /** All that may stand before the template, that of the public path first: a server may have several paths. */
  readonly bases: readonly string[];
  readonly summary: string | undefined;
  readonly tags: readonly string[];
  readonly deprecated: boolean;
  readonly parameters: readonly Parameter[];
  readonly requestBody: RequestBody | undefined;
  /** By status (`200`), range (`4XX`, upper case) or `default`. */
  readonly responses: ReadonlyMap<string, ResponseSpec>;
  /** Empty: no security. */
  readonly security: readonly SecurityRequirement[];
  readonly servers: readonly string[];
  /** `x-…` members of the operation. */
  readonly extensions: Readonly<Record<string, unknown>>;
  readonly location: SourceLocation;
  readonly spec: SpecInfo;
}
