import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import type { Schema, SpecInfo } from "../core/operation.ts";
import { MAX_VIOLATIONS, type Violation } from "./violation.ts";

const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: true, logger: false });
addFormats.default(ajv);

export type Check = (value: unknown) => Violation[];

/** A check that is compiled when it is first used: a large document must not be compiled before its first answer. */
export function lazyCheck(spec: SpecInfo, schema: Schema, location: Violation["location"], prefix: string): Check {
  let validate: ValidateFunction | undefined;
  return (value) => {
    validate ??= ajv.compile(spec.bundle(schema) as object);
    if (validate(value)) return [];
    return (validate.errors ?? []).slice(0, MAX_VIOLATIONS).map((error) => ({
      location,
      pointer: prefix + error.instancePath,
      keyword: error.keyword,
      message: error.message ?? "does not match",
    }));
  };
}
