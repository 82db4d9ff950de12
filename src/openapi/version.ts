import type { Json } from "./json.ts";
import { SpecError } from "./spec-error.ts";

export type SpecVersion = "2.0" | "3.0" | "3.1" | "3.2";

/** @throws SpecError when the document is of no version that is known */
export function detectVersion(document: Json, file: string): SpecVersion {
  const { swagger, openapi } = document;
  // YAML reads an unquoted 3.1 or 2.0 as a number.
  const text = String(openapi ?? swagger ?? "");
  if (openapi === undefined && /^2(\.0)?$/.test(text)) return "2.0";
  const version = /^(3\.[012])(\.|$|-)/.exec(text)?.[1] ?? (text === "3" ? "3.0" : undefined);
  if (openapi !== undefined && version !== undefined) return version as SpecVersion;
  const message =
    text === ""
      ? "has neither `openapi` nor `swagger` at its top; an OpenAPI document starts with `openapi: 3.1.0`"
      : `says it is version ${text}; Portico reads Swagger 2.0 and OpenAPI 3.0, 3.1 and 3.2`;
  throw new SpecError(message, { file, line: 1, column: 1 });
}
