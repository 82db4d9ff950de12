import { isUtf8 } from "node:buffer";
import { Malformed } from "../parameters/decode.ts";

/** Names of UTF-8, and of what is a part of it. */
const UTF8_NAMES = new Set(["utf-8", "utf8", "us-ascii", "ascii"]);

const NOT_UTF8 = new Malformed("parse", "is not UTF-8");
const NOT_IN_CHARSET = new Malformed("parse", "is not in the charset that it names");
const UNKNOWN_CHARSET = new Malformed("parse", "names a charset that cannot be read");

/** True of no charset at all, too: UTF-8 is what senders leave out. */
export const isUtf8Name = (charset: string | undefined): boolean =>
  charset === undefined || UTF8_NAMES.has(charset.toLowerCase());

/** True of the charsets of the Encoding Standard. */
export function isKnownCharset(charset: string | undefined): boolean {
  if (isUtf8Name(charset)) return true;
  try {
    return new TextDecoder(charset).encoding !== "";
  } catch {
    return false;
  }
}

/** Text without its byte order mark; refused where the bytes are none in that charset. */
export function readText(bytes: Buffer, charset: string | undefined): string | Malformed {
  if (isUtf8Name(charset)) return isUtf8(bytes) ? bytes.toString("utf8", hasUtf8Mark(bytes) ? 3 : 0) : NOT_UTF8;
  if (!isKnownCharset(charset)) return UNKNOWN_CHARSET;
  const isBigEndian = charset?.toLowerCase() === "utf-16" && bytes[0] === 0xfe && bytes[1] === 0xff;
  try {
    return new TextDecoder(isBigEndian ? "utf-16be" : charset, { fatal: true }).decode(bytes);
  } catch {
    return NOT_IN_CHARSET;
  }
}

const DECLARED = /^<\?xml[^>]*?\sencoding\s*=\s*["']([\w.:-]+)["']/;
/** What a declaration of XML is longer than in no document of good will. */
const DECLARATION_BYTES = 256;

/** The text of an XML document: a byte order mark counts before the charset, and that before the declaration (RFC 7303 §3). */
export function readXmlText(bytes: Buffer, charset: string | undefined): string | Malformed {
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return readText(bytes, "utf-16be");
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return readText(bytes, "utf-16le");
  if (hasUtf8Mark(bytes)) return readText(bytes, undefined);
  const declared = DECLARED.exec(bytes.toString("latin1", 0, DECLARATION_BYTES))?.[1];
  return readText(bytes, charset ?? declared);
}

const hasUtf8Mark = (bytes: Buffer): boolean => bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
