/** One way in which a message differs from the spec. No member repeats the value: it could be a password. */
export interface Violation {
  readonly location: "path" | "query" | "querystring" | "header" | "cookie" | "body" | "status";
  /** JSON Pointer (RFC 6901): the parameter's name, then the place in its value; for a body, the place in it. */
  readonly pointer: string;
  /** The JSON Schema keyword, or what is wrong with the writing: `parse`, `style`, `encoding`, `duplicate`, `media-type`. */
  readonly keyword: string;
  /** For a person. */
  readonly message: string;
}

/** What a schema says of a value, before it is known where the value stood. */
export type Finding = Omit<Violation, "location">;

/** A message names at most this many violations: a hostile body could have a million. */
export const MAX_VIOLATIONS = 50;

export const toPointer = (...tokens: readonly (string | number)[]): string =>
  tokens.map((token) => `/${escapeToken(String(token))}`).join("");

export const escapeToken = (token: string): string =>
  token.includes("~") || token.includes("/") ? token.replaceAll("~", "~0").replaceAll("/", "~1") : token;
