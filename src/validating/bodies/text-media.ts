import { findMediaType, isJson } from "../../core/media-type.ts";
import type { Encoding } from "../../core/operation.ts";
import { FIRST_READING } from "../parameters/decode.ts";
import { type Shape, toScalar } from "../schema/shape.ts";
import { readForm } from "./form.ts";
import { parseJson } from "./json.ts";

/** Reads text that is written in a media type: the `content` of a parameter, or a part of a form. */
export type MediaReader = (text: string, shape: Shape) => unknown;

const NO_ENCODING: Readonly<Record<string, Encoding>> = {};
const NONE_EXPLODED: ReadonlyMap<string, string> = new Map();

export function mediaReader(type: string): MediaReader {
  const media = findMediaType(type);
  if (media !== undefined && isJson(media)) return (text) => parseJson(Buffer.from(text));
  if (media?.essence === "application/x-www-form-urlencoded") {
    return (text, shape) => readForm(text, shape, NO_ENCODING, NONE_EXPLODED, FIRST_READING);
  }
  return (text, shape) => toScalar(text, shape.types, false);
}
