const ok = { 200: { description: "ok" } };
const json = (schema: object): object => ({ "application/json": { schema } });
const query = (name: string, schema: object, more: object = {}): object => ({ name, in: "query", schema, ...more });
const path = (name: string, schema: object = { type: "integer" }): object => ({
  name,
  in: "path",
  required: true,
  schema,
});
const get = (...parameters: object[]): object => ({ get: { parameters, responses: ok } });
const post = (schema: object, more: object = {}): object => ({
  post: { requestBody: { required: true, content: json(schema), ...more }, responses: ok },
});
const answers = (content: object, mode: object = {}): object => ({
  get: { responses: { 200: { description: "ok", content } }, ...mode },
});

const ref = (name: string): object => ({ $ref: `#/components/schemas/${name}` });
const text = { type: "string" };
const integer = { type: "integer" };

const components = {
  parameters: { Limit: query("limit", ref("Small")) },
  schemas: {
    Small: { type: "integer", maximum: 10 },
    Tree: {
      type: "object",
      required: ["name"],
      properties: { name: text, children: { type: "array", items: ref("Tree") } },
    },
    Cat: { type: "object", required: ["kind", "lives"], properties: { kind: text, lives: ref("Small") } },
    Dog: { type: "object", required: ["kind", "barks"], properties: { kind: text, barks: { type: "boolean" } } },
    Pet: {
      oneOf: [ref("Cat"), ref("Dog")],
      discriminator: { propertyName: "kind", mapping: { dog: "#/components/schemas/Dog" } },
    },
    Owner: { type: "object", properties: { pets: { type: "array", items: { anyOf: [ref("Pet"), ref("Small")] } } } },
    Account: {
      type: "object",
      required: ["id", "name"],
      properties: { id: { type: "integer", readOnly: true }, name: text, secret: { type: "string", writeOnly: true } },
    },
  },
};

const multipart = {
  "multipart/form-data": {
    schema: {
      type: "object",
      required: ["id"],
      properties: { id: integer, file: { type: "string", format: "binary" } },
    },
  },
};

/** The parts that both versions write alike. */
const paths = {
  "/dollar/$count/{id}": get(path("id")),
  "/regex/a.b+(c)*[d]/{id}": get(path("id")),
  "/hyphen/{user-id}/x": get(path("user-id")),
  "/größe/{größe}": get(path("größe")),
  "/valid/{id}": get(path("id", { type: "string", pattern: "^[a-z]{3}$" })),
  "/escaped/{name}": get(path("name", { type: "string", maxLength: 5 })),
  "/unexploded": get(query("ids", { type: "array", items: integer, maxItems: 3 }, { explode: false })),
  "/empty": get(query("q", text), query("n", integer), query("flag", { type: "boolean" }, { allowEmptyValue: true })),
  "/primitives": get(query("n", { type: "number" }), query("b", { type: "boolean" }), query("i", integer)),
  "/deep": get(
    query("filter", { type: "object", properties: { age: integer } }, { style: "deepObject", explode: true }),
  ),
  "/exploded": get(query("point", { type: "object", properties: { x: integer, y: integer } })),
  "/piped": get(query("ids", { type: "array", items: integer }, { style: "pipeDelimited", explode: false })),
  "/any": get(query("a", {}, { style: "form" }), query("list", { type: "array", items: {} })),
  "/reference": get({ $ref: "#/components/parameters/Limit" }),
  "/time": get(query("at", { type: "string", format: "date-time" })),
  "/content": get({ name: "filter", in: "query", content: json({ type: "object", properties: { a: integer } }) }),
  "/header": get({ name: "X-Page-Size", in: "header", required: true, schema: integer }),
  "/cookie": get({ name: "session", in: "cookie", required: true, schema: { type: "string", minLength: 4 } }),
  "/choice": get(query("v", { anyOf: [integer, { type: "string", enum: ["all"] }] })),
  "/optional-body": { post: { requestBody: { content: json(ref("Tree")) }, responses: ok } },
  "/no-body": { post: { responses: ok } },
  "/tree": post(ref("Tree")),
  "/owner": post(ref("Owner")),
  "/account": post(ref("Account")),
  "/numbers": post({ type: "integer", maximum: 9007199254740992, minimum: -9007199254740992 }),
  "/all": post({ allOf: [{ type: "object", properties: { a: integer } }, { required: ["a"] }] }),
  "/not": post({ not: { type: "object", required: ["forbidden"] } }),
  "/bytes": post({ type: "string", format: "byte" }),
  "/upload": { post: { requestBody: { required: true, content: multipart }, responses: ok } },
  "/plain": {
    post: { requestBody: { content: { "text/plain": { schema: { ...text, maxLength: 5 } } } }, responses: ok },
  },
  "/untyped-answer": answers(json({ type: "object" })),
  "/bare-answer": { get: { responses: ok } },
  "/any-answer": answers(json({})),
};

const document = (version: string, more: object): object => ({
  openapi: version,
  info: { title: "Known bugs", version: "1" },
  servers: [{ url: "/" }],
  paths: { ...paths, ...more },
  components,
});

const NULLABLE = { type: "object", properties: { a: { type: "string", nullable: true, enum: ["x", null] }, b: text } };
const NULLS = { type: "object", properties: { a: { type: ["string", "null"], enum: ["x", null] }, b: text } };
/** One description of all that went wrong elsewhere, in the two versions that differ most. */
export const KNOWN_BUG_DOCUMENTS: Readonly<Record<string, object>> = {
  "3.0.3": document("3.0.3", {
    "/nullable": post(NULLABLE),
    "/exclusive": post({ type: "integer", minimum: 5, exclusiveMinimum: true }),
  }),
  "3.1.0": document("3.1.0", {
    "/nullable": post(NULLS),
    "/exclusive": post({ type: "integer", exclusiveMinimum: 5 }),
  }),
};
