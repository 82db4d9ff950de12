/** One way in which a message differs from the spec. */
export interface Violation {
  readonly location: "path" | "query" | "querystring" | "header" | "cookie" | "body";
  /** JSON Pointer (RFC 6901): the parameter's name, then the place in its value; for a body, the place in it. */
  readonly pointer: string;
  /** The JSON Schema keyword, or `required`, `parse`, `media-type`. */
  readonly keyword: string;
  /** For a person. */
  readonly message: string;
}

/** A message names at most this many violations: a hostile body could have a million. */
export const MAX_VIOLATIONS = 50;

export const toPointer = (...tokens: readonly (string | number)[]): string =>
  tokens.map((token) => `/${String(token).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
