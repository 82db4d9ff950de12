/** The document of the POST scenario: the same for every validating peer. */
const address = {
  type: "object",
  required: ["street", "city"],
  properties: { street: { type: "string" }, city: { type: "string" }, zip: { type: "string", pattern: "^[0-9]{5}$" } },
};
const item = {
  type: "object",
  required: ["sku", "quantity", "price"],
  properties: {
    sku: { type: "string", minLength: 3 },
    quantity: { type: "integer", minimum: 1 },
    price: { type: "number", minimum: 0 },
    note: { type: "string", maxLength: 200 },
  },
};
export const spec = {
  openapi: "3.0.3",
  info: { title: "Orders", version: "1.0.0" },
  servers: [{ url: "/" }],
  paths: {
    "/orders": {
      post: {
        operationId: "createOrder",
        parameters: [{ name: "dryRun", in: "query", schema: { type: "boolean" } }],
        requestBody: {
          required: true,
          content: {
            "application/json": {
              schema: {
                type: "object",
                required: ["customer", "items"],
                properties: {
                  customer: { type: "string", minLength: 1 },
                  email: { type: "string", format: "email" },
                  address,
                  items: { type: "array", minItems: 1, maxItems: 100, items: item },
                },
              },
            },
          },
        },
        responses: { 201: { description: "created" } },
      },
    },
  },
};
const items = Array.from({ length: 16 }, (_, i) => ({
  sku: `SKU-${1000 + i}`,
  quantity: i + 1,
  price: 9.5 + i,
  note: "n".repeat(60),
}));
/** 2 KB that match it. */
export const order = JSON.stringify({
  customer: "Ada",
  email: "ada@example.com",
  address: { street: "1 Main St", city: "London", zip: "12345" },
  items,
});
