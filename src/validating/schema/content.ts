import { findMediaType, isJson } from "../../core/media-type.ts";
import { parseJson } from "../bodies/json.ts";
import { Malformed } from "../parameters/decode.ts";
import { type Apply, Seen } from "./evaluation.ts";
import { forEachSubschema, isObject } from "./keywords.ts";

/** A keyword of our own: the text under it must be the JSON that `contentSchema` describes. */
export const ASSERTED_CONTENT = "assertedContent";

/**
 * Makes assertions of `contentMediaType` and `contentSchema`, in place. They are annotations in JSON Schema 2020-12 §8,
 * and all that OpenAPI 3.2 §4.14.2.2 has to say of the `data` of an event.
 * @param schema cleaned
 */
export function assertContent(schema: unknown): void {
  if (!isObject(schema)) return;
  const { contentMediaType, contentEncoding } = schema;
  const media = typeof contentMediaType === "string" ? findMediaType(contentMediaType) : undefined;
  if (media !== undefined && isJson(media) && contentEncoding === undefined) schema[ASSERTED_CONTENT] = true;
  forEachSubschema(schema, assertContent);
}

export const assertedContent: Apply = (evaluator, schema, value, pointer, scope) => {
  if (typeof value !== "string") return true;
  const content = parseJson(Buffer.from(value));
  if (content instanceof Malformed)
    return evaluator.report(pointer, "contentMediaType", `must hold JSON: this ${content.message}`);
  return evaluator.apply(schema.contentSchema ?? true, content, pointer, scope, new Seen());
};
