import type { StoredAnswer } from "../../src/caching/answer.ts";
import { HeaderList } from "../../src/core/headers.ts";

/** An answer as a store is given it. */
export const storedAnswer = (key: string, parts: Partial<StoredAnswer> = {}): StoredAnswer => ({
  kind: "answer",
  key,
  resource: `example\n/${key}`,
  operation: "getThing",
  operationName: "GET /thing",
  tags: [],
  status: 200,
  headers: new HeaderList(["Date", "Thu, 01 Jan 2026 00:00:00 GMT", "X-Ünï", "1"]),
  body: Buffer.from("body"),
  chunks: undefined,
  length: parts.body?.length ?? 4,
  freshness: {
    bornAtMs: Date.now(),
    freshUntilMs: Date.now() + 60_000,
    staleWhileRevalidateMs: 0,
    staleIfErrorMs: 0,
    mustRevalidate: false,
    alwaysAsk: false,
  },
  shape: "",
  seq: 0,
  localSeq: 0,
  view: undefined,
  ...parts,
});
