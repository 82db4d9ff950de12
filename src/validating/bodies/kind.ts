import { isJson, type ParsedMediaType } from "../../core/media-type.ts";
import { isKnownCharset, isUtf8Name } from "./charset.ts";
import { findSequenceReader } from "./lines.ts";

/** How the bytes of a body are read. */
export type Kind = "json" | "form" | "multipart" | "xml" | "sequence" | "text" | "binary";

export function kindOf(type: ParsedMediaType): Kind {
  if (isJson(type)) return "json";
  if (type.essence === "application/x-www-form-urlencoded") return "form";
  if (findSequenceReader(type.essence) !== undefined) return "sequence";
  if (type.type === "multipart") return "multipart";
  if (type.subtype === "xml" || type.subtype.endsWith("+xml")) return "xml";
  return type.type === "text" ? "text" : "binary";
}

/**
 * What to send in place of a charset that cannot be read: JSON, forms and events are UTF-8 by their definition, and a
 * service that believed another name would read something else than what was checked.
 */
export function findCharsetRemedy(type: ParsedMediaType): string | undefined {
  const kind = kindOf(type);
  const charset = type.parameters.get("charset");
  if (kind === "binary" || kind === "multipart") return undefined;
  const isReadable = kind === "text" || kind === "xml" ? isKnownCharset(charset) : isUtf8Name(charset);
  return isReadable ? undefined : `send ${type.essence} in UTF-8, not in the charset that Content-Type names`;
}
