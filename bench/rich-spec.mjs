/** A spec and a 2 KB body as applications have them: allOf, oneOf with a discriminator, patterns, formats, fractions, parameters of every place. */
const parameter = (name, place, schema, required = false) => ({ name, in: place, required, schema });
const text = (more = {}) => ({ type: "string", ...more });
const uuid = text({ format: "uuid" });
const path = "/shops/{shop}/orders";
const id = "123e4567-e89b-12d3-a456-426614174000";

const schemas = {
  Base: {
    type: "object",
    required: ["id", "createdAt"],
    properties: {
      id: uuid,
      createdAt: text({ format: "date-time" }),
      meta: { type: "object", additionalProperties: text() },
    },
  },
  Line: {
    type: "object",
    additionalProperties: false,
    required: ["sku", "quantity", "price"],
    properties: {
      sku: text({ pattern: "^[A-Z]{3}-[0-9]+$" }),
      quantity: { type: "integer", minimum: 1 },
      price: { type: "number", minimum: 0, multipleOf: 0.01 },
      note: { type: ["string", "null"], maxLength: 200 },
      kind: text({ enum: ["good", "service"] }),
    },
  },
  Card: { type: "object", required: ["type", "number"], properties: { type: { const: "card" }, number: text() } },
  Iban: { type: "object", required: ["type", "iban"], properties: { type: { const: "iban" }, iban: text() } },
  Order: {
    allOf: [
      { $ref: "#/components/schemas/Base" },
      {
        type: "object",
        required: ["lines"],
        properties: {
          email: text({ format: "email" }),
          payment: {
            oneOf: [{ $ref: "#/components/schemas/Card" }, { $ref: "#/components/schemas/Iban" }],
            discriminator: { propertyName: "type" },
          },
          lines: { type: "array", minItems: 1, maxItems: 100, items: { $ref: "#/components/schemas/Line" } },
        },
      },
    ],
  },
};

const operation = {
  operationId: "createOrder",
  parameters: [
    parameter("shop", "path", uuid, true),
    parameter("limit", "query", { type: "integer", minimum: 1, maximum: 100 }),
    parameter("tags", "query", { type: "array", items: text() }),
    parameter("sort", "query", text({ enum: ["asc", "desc"] })),
    parameter("X-Request-Id", "header", uuid),
  ],
  requestBody: {
    required: true,
    content: { "application/json": { schema: { $ref: "#/components/schemas/Order" } } },
  },
  responses: { 201: { description: "created" } },
};

export const spec = {
  openapi: "3.1.0",
  info: { title: "Orders", version: "1" },
  paths: { [path]: { post: operation } },
  components: { schemas },
};

/** The schema of the body by itself, as a validator of JSON Schema takes it. */
export const orderSchema = JSON.parse(
  JSON.stringify({ $ref: "#/components/schemas/Order", $defs: schemas }).replaceAll(
    "#/components/schemas/",
    "#/$defs/",
  ),
);

export const request = {
  path: `/shops/${id}/orders`,
  query: "limit=20&tags=a&tags=b&sort=asc",
  pathParameters: { shop: id },
  headers: ["Host", "a", "Content-Type", "application/json", "X-Request-Id", id],
};

export const order = JSON.stringify({
  id,
  createdAt: "2026-01-02T03:04:05Z",
  meta: { source: "web", city: "Zürich" },
  email: "ada@example.com",
  payment: { type: "iban", iban: "DE00 1234" },
  lines: Array.from({ length: 16 }, (_, i) => ({
    sku: `SKU-${1000 + i}`,
    quantity: i + 1,
    price: 9.5 + i,
    note: "n".repeat(50),
    kind: "good",
  })),
  extra: 1,
});
