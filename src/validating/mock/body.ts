import { findMediaType, isJson } from "../../core/media-type.ts";
import type { MediaType, Operation } from "../../core/operation.ts";
import { findSequenceReader } from "../bodies/lines.ts";
import { schemaCheck } from "../schema/check.ts";
import { isObject } from "../schema/keywords.ts";
import { Shape } from "../schema/shape.ts";
import { toXml } from "./xml-sample.ts";

/** What an answer is to say. */
export interface Sample {
  readonly value: unknown;
  /** The value is a text in the media type already (`serializedValue` of 3.2). */
  readonly isWritten?: boolean;
}

/** A value in the media type of an answer. A range such as `*` + `/*` is answered as JSON. */
export function writeBody(
  operation: Operation,
  media: MediaType,
  { value, isWritten = false }: Sample,
): { type: string; bytes: Buffer } {
  const parsed = findMediaType(media.type);
  if (parsed === undefined || parsed.essence.includes("*")) {
    const isText = typeof value === "string";
    const type = isText ? "text/plain; charset=utf-8" : "application/json";
    return { type, bytes: Buffer.from(isText ? value : JSON.stringify(value)) };
  }
  if (isWritten) return { type: media.type, bytes: Buffer.from(String(value)) };
  if (isJson(parsed)) return { type: media.type, bytes: Buffer.from(JSON.stringify(value)) };
  if (typeof value === "string") return { type: media.type, bytes: Buffer.from(value) };
  if (findSequenceReader(parsed.essence) !== undefined) {
    const items = Array.isArray(value) ? value : [value];
    return { type: media.type, bytes: Buffer.from(writeSequence(parsed.essence, items)) };
  }
  if (parsed.subtype === "xml" || parsed.subtype.endsWith("+xml")) {
    const shape =
      media.schema === undefined ? undefined : Shape.of(schemaCheck(operation.spec, media.schema, "response").schema);
    return {
      type: media.type,
      bytes: Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>${toXml(value, "root", shape)}`),
    };
  }
  if (parsed.essence === "application/x-www-form-urlencoded" && isObject(value)) {
    const fields = Object.entries(value).map(([name, member]): [string, string] => [
      name,
      isObject(member) ? JSON.stringify(member) : String(member),
    ]);
    return { type: media.type, bytes: Buffer.from(String(new URLSearchParams(fields))) };
  }
  return {
    type: media.type,
    bytes: Buffer.from(isObject(value) || Array.isArray(value) ? JSON.stringify(value) : String(value)),
  };
}

function writeSequence(essence: string, items: readonly unknown[]): string {
  if (essence === "text/event-stream") {
    return items
      .map(
        (item) =>
          `${Object.entries(isObject(item) ? item : { data: item })
            .map(([k, v]) => `${k}: ${typeof v === "string" ? v : JSON.stringify(v)}`)
            .join("\n")}\n\n`,
      )
      .join("");
  }
  const mark = essence.endsWith("json-seq") ? "\u001e" : "";
  return items.map((item) => `${mark}${JSON.stringify(item)}\n`).join("");
}
