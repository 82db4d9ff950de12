import type {
  Encoding,
  MediaType,
  Parameter,
  ParameterStyle,
  RequestBody,
  ResponseSpec,
  Schema,
} from "../core/operation.ts";
import type { SpecFiles } from "./files.ts";
import { findText, isObject, type Json, toObject } from "./json.ts";
import { FOREIGN_STYLE } from "./swagger2.ts";

/** Header parameters that 3.x says "shall be ignored": other parts of the document speak of them. */
const IGNORED_HEADERS = new Set(["accept", "content-type", "authorization"]);

/** Reads parameters, bodies and responses into the model; each part that is shared by reference is read once. */
export class MediaReader {
  private readonly files: SpecFiles;
  private readonly parameters = new Map<Json, Parameter>();
  private readonly bodies = new Map<Json, RequestBody>();
  private readonly responses = new Map<Json, ResponseSpec>();

  constructor(files: SpecFiles) {
    this.files = files;
  }

  /** @returns undefined for what the specification says to ignore, or what has no name or place */
  findParameter(value: unknown): Parameter | undefined {
    const source = this.files.resolve(value);
    const { in: where, name } = source;
    if (typeof where !== "string" || typeof name !== "string") return undefined;
    if (where === "header" && IGNORED_HEADERS.has(name.toLowerCase()) && this.files.version !== "2.0") return undefined;
    return memo(this.parameters, source, () => this.parameter(source, name, where as Parameter["in"]));
  }

  requestBody(value: unknown): RequestBody {
    const source = this.files.resolve(value);
    return memo(this.bodies, source, () => ({
      required: source.required === true,
      content: this.content(source.content),
    }));
  }

  response(value: unknown): ResponseSpec {
    const source = this.files.resolve(value);
    return memo(this.responses, source, () => ({
      description: findText(source.description) ?? "",
      headers: this.headers(source.headers),
      content: this.content(source.content),
      links: toObject(source.links),
    }));
  }

  private headers(value: unknown): Parameter[] {
    return Object.entries(toObject(value))
      .filter(([name]) => name.toLowerCase() !== "content-type")
      .map(([name, header]) => this.parameter(this.files.resolve(header), name, "header"));
  }

  private parameter(source: Json, name: string, where: Parameter["in"]): Parameter {
    const written = findText(source.style) as ParameterStyle | undefined;
    const foreign = findForeignStyle(source);
    // A style that the place does not have (matrix in a query) has no way to be written: the default is meant.
    const known = written !== undefined && STYLES[where]?.includes(written) ? written : defaultStyle(where);
    const style = foreign ?? known;
    return {
      name,
      in: where,
      required: source.required === true || where === "path",
      deprecated: source.deprecated === true,
      style,
      explode: typeof source.explode === "boolean" ? source.explode : style === "form" || style === "cookie",
      allowReserved: source.allowReserved === true,
      allowEmptyValue: source.allowEmptyValue === true,
      schema: toSchema(source.schema),
      content: isObject(source.content) ? this.content(source.content) : undefined,
      example: source.example,
      examples: this.examples(source.examples),
    };
  }

  private content(value: unknown): MediaType[] {
    return Object.entries(toObject(value)).map(([type, media]) => {
      const source = this.files.resolve(media);
      return {
        type,
        schema: toSchema(source.schema),
        itemSchema: toSchema(source.itemSchema),
        encoding: this.encoding(source.encoding),
        prefixEncoding: Array.isArray(source.prefixEncoding)
          ? source.prefixEncoding.map((entry) => this.encodingOf(entry))
          : undefined,
        itemEncoding: isObject(source.itemEncoding) ? this.encodingOf(source.itemEncoding) : undefined,
        example: source.example,
        examples: this.examples(source.examples),
      };
    });
  }

  private encoding(value: unknown): Readonly<Record<string, Encoding>> {
    if (!isObject(value)) return NO_ENCODING;
    return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, this.encodingOf(entry)]));
  }

  private encodingOf(value: unknown): Encoding {
    const source = this.files.resolve(value);
    return {
      contentType: findText(source.contentType),
      headers: this.headers(source.headers),
      style: findForeignStyle(source) ?? (findText(source.style) as ParameterStyle | undefined),
      explode: typeof source.explode === "boolean" ? source.explode : undefined,
      allowReserved: source.allowReserved === true,
    };
  }

  private examples(value: unknown): Readonly<Record<string, unknown>> | undefined {
    if (!isObject(value)) return undefined;
    return Object.fromEntries(Object.entries(value).map(([name, example]) => [name, this.files.resolve(example)]));
  }
}

const NO_ENCODING: Readonly<Record<string, Encoding>> = Object.freeze({});

const toSchema = (value: unknown): Schema | undefined =>
  isObject(value) || typeof value === "boolean" ? value : undefined;

/** OpenAPI 3.2 §4.12.2.2; spaces and pipes in an array of a header or a path, which 2.0 allowed, are read as text. */
export const STYLES: Readonly<Record<string, readonly ParameterStyle[]>> = {
  path: ["simple", "label", "matrix"],
  query: ["form", "spaceDelimited", "pipeDelimited", "deepObject"],
  header: ["simple"],
  cookie: ["form", "cookie"],
};

/** Of 2.0 alone; see `FOREIGN_STYLE`. */
function findForeignStyle(source: Json): ParameterStyle | undefined {
  const format = source[FOREIGN_STYLE];
  if (format === "tsv") return "tabDelimited";
  return format === "ssv" ? "spaceDelimited" : format === "pipes" ? "pipeDelimited" : undefined;
}

function defaultStyle(where: Parameter["in"]): ParameterStyle {
  return where === "path" || where === "header" ? "simple" : "form";
}

function memo<T>(known: Map<Json, T>, source: Json, read: () => T): T {
  let value = known.get(source);
  if (value === undefined) {
    value = read();
    known.set(source, value);
  }
  return value;
}
