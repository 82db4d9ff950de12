import type { SpecFiles } from "./files.ts";
import { findText, isObject, type Json, toList, toObject } from "./json.ts";

const METHODS = ["get", "put", "post", "delete", "options", "head", "patch"];
/** Of a parameter that is no body: these make its schema. */
const SCHEMA_KEYS = (
  "type format items default maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength pattern " +
  "maxItems minItems uniqueItems enum multipleOf x-nullable"
).split(" ");
/** `collectionFormat` of an array whose items are parted as no style of 3.x parts them. */
export const FOREIGN_STYLE = "x-collectionFormat";
const FORM = "application/x-www-form-urlencoded";
const MULTIPART = "multipart/form-data";

/**
 * A document of Swagger 2.0 in the shape of 3.x. Its parameters and responses are written out where they are used;
 * its schemas stay as they are, and so do the references in them.
 */
export function toVersion3(files: SpecFiles): Json {
  const root = files.root;
  const paths: Json = {};
  for (const [path, item] of Object.entries(toObject(root.paths))) {
    paths[path] = path.startsWith("x-") ? item : toPathItem(files, item);
  }
  const { info, tags, externalDocs, security } = root;
  return {
    ...Object.fromEntries(Object.entries({ info, tags, externalDocs, security }).filter(([, value]) => value)),
    openapi: "3.1.1",
    servers: toServers(root),
    paths,
    components: {
      schemas: toObject(root.definitions),
      securitySchemes: Object.fromEntries(
        Object.entries(toObject(root.securityDefinitions)).map(([name, scheme]) => [
          name,
          toSecurityScheme(files.resolve(scheme)),
        ]),
      ),
    },
    ...extensionsOf(root),
  };
}

function toServers(root: Json): Json[] {
  const basePath = (findText(root.basePath) ?? "/").replace(/^(?!\/)/, "/");
  const host = findText(root.host);
  if (host === undefined) return [{ url: basePath }];
  const schemes = toList(root.schemes).length === 0 ? ["https"] : toList(root.schemes);
  return schemes.map((scheme) => ({ url: `${String(scheme)}://${host}${basePath}` }));
}

function toPathItem(files: SpecFiles, value: unknown): Json {
  const source = { ...files.resolve(value), ...withoutReference(value) };
  const shared = toList(files.open(source.parameters));
  const item: Json = extensionsOf(source);
  for (const method of METHODS) {
    const operation = source[method];
    if (!isObject(operation)) continue;
    item[method] = toOperation(files, { ...files.resolve(operation), ...withoutReference(operation) }, shared);
  }
  return item;
}

function toOperation(files: SpecFiles, source: Json, shared: readonly unknown[]): Json {
  const byKey = new Map<string, Json>();
  for (const value of [...shared, ...toList(files.open(source.parameters))]) {
    const parameter = files.resolve(value);
    // There is one body: the operation's own takes the place of the path's.
    const key = parameter.in === "body" ? "body" : `${String(parameter.in)} ${String(parameter.name)}`;
    byKey.set(key, parameter);
  }
  const all = [...byKey.values()];
  const body = all.find((parameter) => parameter.in === "body");
  const fields = all.filter((parameter) => parameter.in === "formData");
  const consumes = toList(source.consumes ?? files.root.consumes).map(String);
  const produces = toList(source.produces ?? files.root.produces).map(String);
  const { consumes: _c, produces: _p, schemes: _s, ...rest } = source;
  const operation: Json = {
    ...rest,
    parameters: all.filter(({ in: where }) => where !== "body" && where !== "formData").map(toParameter),
    responses: Object.fromEntries(
      Object.entries(toObject(source.responses)).map(([status, response]) => [
        status,
        status.startsWith("x-") ? response : toResponse(files.resolve(response), produces),
      ]),
    ),
  };
  if (body !== undefined) operation.requestBody = toBody(body, consumes);
  else if (fields.length > 0) operation.requestBody = toForm(fields, consumes);
  return operation;
}

function toParameter(source: Json): Json {
  const parameter: Json = { ...extensionsOf(source), schema: toSchema(source) };
  for (const key of ["name", "in", "description", "required", "allowEmptyValue", "deprecated"]) {
    if (source[key] !== undefined) parameter[key] = source[key];
  }
  if (source["x-example"] !== undefined) parameter.example = source["x-example"];
  if (source.type === "array") Object.assign(parameter, source.in === "query" ? toStyle(source) : foreignStyle(source));
  return parameter;
}

/**
 * What 3.x has no style for: tabs, and spaces or pipes in a path or a header. The extension tells the reader of this
 * document, and leaves it one of 3.x for everybody else.
 */
function foreignStyle({ collectionFormat }: Json): Json {
  const isForeign = collectionFormat === "tsv" || collectionFormat === "ssv" || collectionFormat === "pipes";
  return isForeign ? { [FOREIGN_STYLE]: collectionFormat } : {};
}

/** How the items of an array are parted. */
function toStyle({ collectionFormat = "csv" }: Json): Json {
  if (collectionFormat === "multi") return { style: "form", explode: true };
  if (collectionFormat === "ssv") return { style: "spaceDelimited", explode: false };
  if (collectionFormat === "pipes") return { style: "pipeDelimited", explode: false };
  return { style: "form", explode: false, ...foreignStyle({ collectionFormat }) };
}

function toSchema(source: Json): Json {
  if (isObject(source.schema)) return source.schema;
  return Object.fromEntries(SCHEMA_KEYS.filter((key) => source[key] !== undefined).map((key) => [key, source[key]]));
}

function toBody(body: Json, consumes: readonly string[]): Json {
  const media: Json = { schema: body.schema ?? {} };
  if (body["x-example"] !== undefined) media.example = body["x-example"];
  const types = consumes.length === 0 ? ["application/json"] : consumes;
  return {
    ...(body.description === undefined ? {} : { description: body.description }),
    required: body.required === true,
    content: Object.fromEntries(types.map((type) => [type, media])),
  };
}

function toForm(fields: readonly Json[], consumes: readonly string[]): Json {
  const hasFile = fields.some(({ type }) => type === "file");
  const properties: Json = {};
  const encoding: Json = {};
  for (const field of fields) {
    const name = String(field.name);
    properties[name] = { ...toSchema(field), ...(field.description ? { description: field.description } : {}) };
    if (field.type === "array") encoding[name] = toStyle(field);
  }
  const required = fields.filter((field) => field.required === true).map(({ name }) => String(name));
  const schema = { type: "object", properties, ...(required.length > 0 ? { required } : {}) };
  const forms = consumes.filter((type) => type.startsWith(FORM) || type.startsWith("multipart/"));
  const types = forms.length > 0 ? forms : hasFile ? [MULTIPART] : [FORM, MULTIPART];
  return {
    required: required.length > 0,
    content: Object.fromEntries(types.map((type) => [type, { schema, encoding }])),
  };
}

function toResponse(source: Json, produces: readonly string[]): Json {
  const { schema, examples, headers, ...rest } = source;
  const response: Json = { ...rest };
  if (isObject(headers)) {
    response.headers = Object.fromEntries(
      Object.entries(headers).map(([name, header]) => [
        name,
        {
          description: toObject(header).description,
          schema: toSchema(toObject(header)),
          ...foreignStyle(toObject(header)),
        },
      ]),
    );
  }
  const types = [...produces, ...Object.keys(toObject(examples)).filter((type) => !produces.includes(type))];
  if (schema === undefined && examples === undefined) return response;
  response.content = Object.fromEntries(
    (types.length === 0 ? ["application/json"] : types).map((type) => {
      const example = toObject(examples)[type];
      return [type, { ...(schema === undefined ? {} : { schema }), ...(example === undefined ? {} : { example }) }];
    }),
  );
  return response;
}

const FLOWS: Readonly<Record<string, string>> = {
  implicit: "implicit",
  password: "password",
  application: "clientCredentials",
  accessCode: "authorizationCode",
};

function toSecurityScheme(source: Json): Json {
  if (source.type === "basic") return { type: "http", scheme: "basic", description: source.description };
  if (source.type !== "oauth2") return source;
  const { flow, authorizationUrl, tokenUrl, scopes, description } = source;
  return {
    type: "oauth2",
    description,
    flows: { [FLOWS[String(flow)] ?? "implicit"]: { authorizationUrl, tokenUrl, scopes: toObject(scopes) } },
  };
}

const withoutReference = (value: unknown): Json => {
  const { $ref: _, ...rest } = toObject(value);
  return rest;
};
const extensionsOf = (source: Json): Json =>
  Object.fromEntries(Object.entries(source).filter(([key]) => key.startsWith("x-")));
