import { createHash } from "node:crypto";
import { HeaderList } from "../core/headers.ts";
import type { StoredRecord } from "./answer.ts";

/** Of another layout: not read. */
const VERSION = 3;

/**
 * A record as bytes: the length of its description, the description as JSON, the body.
 * @param untilMs when nobody will want it any more
 */
export function toFrame(record: StoredRecord, untilMs: number): Buffer {
  const description =
    record.kind === "variants"
      ? { ...record, version: VERSION, untilMs }
      : {
          ...record,
          version: VERSION,
          untilMs,
          headers: record.headers.toFlat(),
          body: record.body === null ? 0 : 1,
          view: undefined,
          localSeq: undefined,
        };
  const json = Buffer.from(JSON.stringify(description));
  const length = Buffer.allocUnsafe(4);
  length.writeUInt32LE(json.length);
  const body = record.kind === "answer" ? record.body : null;
  return Buffer.concat(body === null ? [length, json] : [length, json, body]);
}

/**
 * @param key what was asked for: a digest that met another key's is no answer
 * @returns undefined for what is damaged, over, or not this key's
 */
export function findInFrame(frame: Buffer, key: string, nowMs: number): StoredRecord | undefined {
  try {
    const length = frame.readUInt32LE(0);
    const description = JSON.parse(frame.toString("utf8", 4, 4 + length));
    if (description.version !== VERSION || description.key !== key || description.untilMs < nowMs) return undefined;
    if (description.kind === "variants") return description;
    const body = description.body === 0 ? null : frame.subarray(4 + length);
    if (body !== null && body.length !== description.length) return undefined;
    return { ...description, body, headers: new HeaderList(description.headers), view: undefined, localSeq: -1 };
  } catch {
    return undefined;
  }
}

/** Keys are as long as URLs; those of stores are not. */
export const digestOf = (key: string): string => createHash("sha256").update(key).digest("base64url");
