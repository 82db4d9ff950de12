import { FieldGroup } from "../core/field-group.ts";
import type { HeaderList } from "../core/headers.ts";
import type { StoredAnswer } from "./answer.ts";
import { type Storable, shapeOf } from "./policy.ts";
import type { Recorded } from "./recorder.ts";

type Known = Pick<StoredAnswer, "key" | "operation" | "operationName" | "status">;

/** When the upstream was asked, and what had been purged by then: the answer is younger than all of that. */
export interface Asked {
  readonly requestedAtMs: number;
  readonly seq: number;
  readonly localSeq: number;
}

/** An answer as it is stored. @param requestHeaders of the request that it answers */
export function toStoredAnswer(
  requestHeaders: HeaderList,
  storable: Storable,
  { body, chunks, length }: Recorded,
  known: Known,
  { seq, localSeq }: Asked,
): StoredAnswer {
  const { freshness } = storable;
  const { headers } = storable;
  if (known.status !== 204) sayLength(headers, length);
  return {
    kind: "answer",
    key: known.key,
    resource: undefined,
    operation: known.operation,
    operationName: known.operationName,
    tags: tagsOf(headers),
    status: known.status,
    headers,
    body,
    chunks,
    length,
    freshness,
    shape: known.status >= 400 ? shapeOf(requestHeaders) : "",
    seq,
    localSeq,
    view: undefined,
  };
}

/** Nearly always it is said already. */
function sayLength(headers: HeaderList, length: number): void {
  const text = String(length);
  if (headers.getJoined("content-length") !== text) headers.set("Content-Length", text);
}

/** `Surrogate-Key` is a list by spaces, `Cache-Tag` by commas. */
export function tagsOf(headers: HeaderList): readonly string[] {
  if (!headers.hasAnyOf(TAGGING)) return NO_TAGS;
  const keys = headers.getJoined("surrogate-key")?.split(/[ \t,]+/) ?? [];
  const tags = headers.getJoined("cache-tag")?.split(",") ?? [];
  return [...new Set([...keys, ...tags].map((tag) => tag.trim()).filter((tag) => tag !== ""))];
}
const TAGGING = new FieldGroup("surrogate-key", "cache-tag");
const NO_TAGS: readonly string[] = Object.freeze([]);
