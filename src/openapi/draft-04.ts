import type { Json } from "./json.ts";

const schema = { $ref: "#" };
const schemas = { type: "object", additionalProperties: schema, default: {} };
const schemaList = { type: "array", minItems: 1, items: schema };
const count = { type: "integer", minimum: 0 };
const names = { type: "array", minItems: 1, uniqueItems: true, items: { type: "string" } };
const type = { enum: ["array", "boolean", "integer", "null", "number", "object", "string"] };
const schemaOrBoolean = { anyOf: [{ type: "boolean" }, schema], default: {} };

/** The schema of draft 4, which Ajv does not bring along (draft-zyp-json-schema-04, draft-fge-json-schema-validation-00). */
export const DRAFT_04: Json = {
  id: "http://json-schema.org/draft-04/schema#",
  $schema: "http://json-schema.org/draft-04/schema#",
  description: "Core schema meta-schema",
  type: "object",
  definitions: {
    schemaArray: schemaList,
    positiveInteger: count,
    positiveIntegerDefault0: { allOf: [count, { default: 0 }] },
    simpleTypes: type,
    stringArray: names,
  },
  properties: {
    ...Object.fromEntries(
      ["id", "$schema", "title", "description", "format"].map((name) => [name, { type: "string" }]),
    ),
    default: {},
    multipleOf: { type: "number", minimum: 0, exclusiveMinimum: true },
    maximum: { type: "number" },
    exclusiveMaximum: { type: "boolean" },
    minimum: { type: "number" },
    exclusiveMinimum: { type: "boolean" },
    ...Object.fromEntries(
      ["Length", "Items", "Properties"].flatMap((what) => [
        [`max${what}`, count],
        [`min${what}`, { ...count, default: 0 }],
      ]),
    ),
    pattern: { type: "string", format: "regex" },
    additionalItems: schemaOrBoolean,
    items: { anyOf: [schema, schemaList], default: {} },
    uniqueItems: { type: "boolean", default: false },
    required: names,
    additionalProperties: schemaOrBoolean,
    definitions: schemas,
    properties: schemas,
    patternProperties: schemas,
    dependencies: { type: "object", additionalProperties: { anyOf: [schema, names] } },
    enum: { type: "array", minItems: 1, uniqueItems: true },
    type: { anyOf: [type, { ...names, items: type }] },
    allOf: schemaList,
    anyOf: schemaList,
    oneOf: schemaList,
    not: schema,
  },
  dependencies: { exclusiveMaximum: ["maximum"], exclusiveMinimum: ["minimum"] },
  default: {},
};
