/** A mapping of a document: what stands in it is not yet known to be right. */
export type Json = Record<string, unknown>;

export const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** @returns an empty mapping for anything else */
export const toObject = (value: unknown): Json => (isObject(value) ? value : {});
export const toList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
export const findText = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

/** One token of a JSON Pointer (RFC 6901), as it stands in a URI fragment. */
export const toToken = (key: string): string =>
  /[%~/]/.test(key) ? key.replaceAll("%", "%25").replaceAll("~", "~0").replaceAll("/", "~1") : key;

export const toPointer = (path: readonly string[]): string => path.map((key) => `/${toToken(key)}`).join("");

/** The keys that a pointer names, decoded. Tolerates `%` that is no encoding: real documents have it. */
export const parsePointer = (pointer: string): string[] => pointer.split("/").slice(1).map(decodeToken);

function decodeToken(token: string): string {
  let text = token;
  if (token.includes("%")) {
    try {
      text = decodeURIComponent(token);
    } catch {
      // Not an encoding: the token stands for itself.
    }
  }
  return text.includes("~") ? text.replaceAll("~1", "/").replaceAll("~0", "~") : text;
}

/** Follows a JSON Pointer. @returns undefined when nothing is there */
export function findByPointer(root: unknown, pointer: string): unknown {
  let value: unknown = root;
  for (const key of parsePointer(pointer)) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Json)[key];
  }
  return value;
}
