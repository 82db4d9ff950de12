import type { MediaType, Operation, Parameter, Schema } from "../../src/core/operation.ts";

type Json = Record<string, unknown>;

export interface GeneratedRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: Record<string, string>;
  readonly body: string | undefined;
}

/** The smallest request that an operation's description allows: what is required, and nothing else. */
export function generateRequest(operation: Operation): GeneratedRequest {
  const headers: Record<string, string> = {};
  const query: string[] = [];
  let path = operation.publicPath;
  const cookies: string[] = [];
  for (const parameter of operation.parameters) {
    if (!parameter.required) continue;
    const text = write(parameter, parameterValue(operation, parameter));
    if (parameter.in === "path") path = path.replaceAll(`{${parameter.name}}`, text);
    else if (parameter.in === "query") query.push(text);
    else if (parameter.in === "header") headers[parameter.name] = text;
    else if (parameter.in === "cookie") cookies.push(text);
  }
  path = path.replace(/\{[^{}/]*\}/g, "1");
  if (cookies.length > 0) headers.cookie = cookies.join("; ");
  const body = generateBody(operation, headers);
  // A literal of a template may hold what no request target may.
  const safe = path.replace(/[^\x21-\x7e]|["<>^`{|}\\]/g, (character) => encodeURIComponent(character));
  const joint = safe.includes("?") ? "&" : "?";
  const target = query.length === 0 ? safe : `${safe}${joint}${query.join("&")}`;
  return { method: operation.method, target, headers, body };
}

function generateBody(operation: Operation, headers: Record<string, string>): string | undefined {
  const { requestBody } = operation;
  if (requestBody === undefined) return undefined;
  const media = requestBody.content.find(({ type }) => /[/+]json/.test(type)) ?? requestBody.content[0];
  if (media === undefined || (!requestBody.required && !/json/.test(media.type))) return undefined;
  headers["content-type"] = media.type.replace("*/*", "application/json").replace("/*", "/plain");
  const body = writeBody(operation, media);
  // Node sends the body of a DELETE without saying that there is one.
  headers["content-length"] = String(Buffer.byteLength(body));
  return body;
}

function writeBody(operation: Operation, media: MediaType): string {
  const value = media.schema === undefined ? {} : generateValue(operation, media.schema);
  if (/json/.test(media.type) || media.type === "*/*") return JSON.stringify(value);
  if (/urlencoded/.test(media.type)) {
    return new URLSearchParams(
      Object.entries(value as Json).map(([key, item]): [string, string] => [key, String(item)]),
    ).toString();
  }
  return typeof value === "string" ? value : "text";
}

function parameterValue(operation: Operation, parameter: Parameter): unknown {
  const schema = parameter.schema ?? parameter.content?.[0]?.schema;
  return schema === undefined ? "1" : generateValue(operation, schema);
}

function write({ name, in: where, content }: Parameter, value: unknown): string {
  const text =
    content !== undefined ? JSON.stringify(value) : Array.isArray(value) ? value.map(String).join(",") : String(value);
  if (where === "header") return text;
  const encoded = encodeURIComponent(text) || "1";
  return where === "path" ? encoded : `${encodeURIComponent(name)}=${encoded}`;
}

/** A value that a schema allows, found without luck: good for what real documents say, not for every schema there is. */
export function generateValue(operation: Operation, schema: Schema): unknown {
  const bundled = operation.spec.bundle(schema);
  const definitions = typeof bundled === "object" ? ((bundled.$defs ?? {}) as Json) : {};
  return generate(bundled, definitions, 0);
}

function generate(schema: unknown, definitions: Json, depth: number): unknown {
  if (typeof schema !== "object" || schema === null || depth > 20) return "text";
  const flat = flatten(schema as Json, definitions);
  if (flat.const !== undefined) return flat.const;
  if (Array.isArray(flat.enum)) return flat.enum.find((value) => value !== null) ?? null;
  const type = Array.isArray(flat.type) ? flat.type.find((name) => name !== "null") : flat.type;
  if (type === "object" || (type === undefined && flat.properties !== undefined)) {
    return generateObject(flat, definitions, depth);
  }
  if (type === "array") {
    const count = Number(flat.minItems ?? 1);
    return Array.from({ length: Math.max(1, count) }, () => generate(flat.items ?? {}, definitions, depth + 1));
  }
  if (type === "integer" || type === "number") {
    return Number(
      flat.minimum ??
        (flat.exclusiveMinimum === undefined
          ? Math.min(1, Number(flat.maximum ?? 1))
          : Number(flat.exclusiveMinimum) + 1),
    );
  }
  if (type === "boolean") return true;
  if (type === "null") return null;
  return generateString(flat);
}

function generateObject(schema: Json, definitions: Json, depth: number): Json {
  const properties = (schema.properties ?? {}) as Json;
  const names = new Set((schema.required as string[] | undefined) ?? []);
  for (const name of Object.keys(properties)) if (names.size < Number(schema.minProperties ?? 0)) names.add(name);
  return Object.fromEntries([...names].map((name) => [name, generate(properties[name] ?? {}, definitions, depth + 1)]));
}

/** References opened, `allOf` joined, and the first of each choice taken. */
function flatten(schema: Json, definitions: Json): Json {
  let flat: Json = { ...schema };
  for (let i = 0; i < 50; i++) {
    const { $ref, allOf, oneOf, anyOf, ...rest } = flat;
    const parts: unknown[] = [];
    if (typeof $ref === "string") parts.push(definitions[decodeURIComponent($ref.slice("#/$defs/".length))]);
    if (Array.isArray(allOf)) parts.push(...allOf);
    // An empty object may fit several of the choices: what has something in it fits one.
    if (Array.isArray(oneOf)) {
      const choice = oneOf.find((part) => (part as Json).type === "string") ?? oneOf[0];
      parts.push({ minProperties: 1, ...(choice as Json) });
    }
    if (Array.isArray(anyOf)) parts.push(anyOf.find((part) => (part as Json).type !== "null"));
    if (parts.length === 0) return flat;
    flat = rest;
    for (const part of parts) flat = join(flat, (part ?? {}) as Json);
  }
  return flat;
}

const join = (a: Json, b: Json): Json => ({
  ...a,
  ...b,
  properties: { ...(a.properties as Json), ...(b.properties as Json) },
  required: [...((a.required as string[]) ?? []), ...((b.required as string[]) ?? [])],
  ...(a.allOf !== undefined || b.allOf !== undefined
    ? { allOf: [...((a.allOf as unknown[]) ?? []), ...((b.allOf as unknown[]) ?? [])] }
    : {}),
});

const BY_FORMAT: Readonly<Record<string, string>> = {
  "date-time": "2026-01-02T03:04:05Z",
  date: "2026-01-02",
  time: "03:04:05Z",
  uuid: "123e4567-e89b-12d3-a456-426614174000",
  email: "someone@example.com",
  uri: "https://example.com/",
  url: "https://example.com/",
  hostname: "example.com",
  ipv4: "192.0.2.1",
  ipv6: "2001:db8::1",
  byte: "dGV4dA==",
};
const CANDIDATES = [
  "abc",
  "1",
  "a",
  "A",
  "0123456789abcdef",
  "0123456789abcdef0123456789abcdef01234567",
  "2026-01-02",
  "1.0.0",
  `sha256:${"0".repeat(64)}`,
  "ssh-rsa AAAA",
];

function generateString(schema: Json): string {
  const examples = [schema.default, ...((schema.examples as unknown[]) ?? [])].filter((e) => typeof e === "string");
  const pattern = typeof schema.pattern === "string" ? new RegExp(schema.pattern, "u") : undefined;
  if (pattern !== undefined) {
    const fits = [...examples, ...CANDIDATES].find(
      (text) => pattern.test(text) && text.length >= Number(schema.minLength ?? 0),
    );
    if (fits !== undefined) return fits;
  }
  const known = BY_FORMAT[String(schema.format)];
  if (known !== undefined) return known;
  return "abc".padEnd(Number(schema.minLength ?? 3), "c").slice(0, Number(schema.maxLength ?? 1000));
}
