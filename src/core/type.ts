import type TypeBox from "typebox";

type Builders = Pick<
  typeof TypeBox,
  | "Optional"
  | "String"
  | "Object"
  | "Literal"
  | "Integer"
  | "Union"
  | "Array"
  | "Number"
  | "Boolean"
  | "Record"
  | "Unknown"
>;
type Schema = Record<string, unknown>;

/** As TypeBox marks it: no part of the JSON Schema, so it is not seen by whoever writes that down. */
const OPTIONAL = "~optional";
const isOptional = (schema: Schema): boolean => schema[OPTIONAL] === true;

/**
 * The part of TypeBox that options need. Its types, but made here: the whole library is 140 ms of a start on one core,
 * and all that it makes of these words is JSON Schema. A plugin's author has the whole of it (src/plugin.ts).
 */
export const Type = {
  String: (options?: Schema) => ({ type: "string", ...options }),
  Integer: (options?: Schema) => ({ type: "integer", ...options }),
  Number: (options?: Schema) => ({ type: "number", ...options }),
  Boolean: (options?: Schema) => ({ type: "boolean", ...options }),
  Unknown: (options?: Schema) => ({ ...options }),
  Literal: (value: unknown, options?: Schema) => ({ type: typeof value, const: value, ...options }),
  Array: (items: Schema, options?: Schema) => ({ type: "array", items, ...options }),
  Union: (anyOf: readonly Schema[], options?: Schema) => ({ anyOf, ...options }),
  Record: (names: Schema, value: Schema, options?: Schema) => ({
    type: "object",
    patternProperties: { [String(names.pattern ?? "^.*$")]: value },
    ...options,
  }),
  Object(properties: Record<string, Schema>, options?: Schema) {
    const required = Object.entries(properties).flatMap(([name, schema]) => (isOptional(schema) ? [] : [name]));
    return { type: "object", ...(required.length > 0 ? { required } : {}), properties, ...options };
  },
  Optional: (schema: Schema) => Object.defineProperty({ ...schema }, OPTIONAL, { value: true }),
} as unknown as Builders;

export declare namespace Type {
  type TSchema = TypeBox.TSchema;
  type Static<T extends TypeBox.TSchema> = TypeBox.Static<T>;
}
