import { isUtf8 } from "node:buffer";
import { Malformed } from "../parameters/decode.ts";
import { parseJson } from "./json.ts";

/** The items of a sequence that is written one after another (OpenAPI 3.2 §4.14.2). @returns undefined for other types */
export function findSequenceReader(essence: string): ((bytes: Buffer) => Iterable<unknown>) | undefined {
  if (essence === "application/json-seq" || essence.endsWith("+json-seq")) return readJsonSequence;
  if (/[/+-](?:jsonl|ndjson|jsonlines|json-lines|x-jsonlines)$/.test(essence))
    return (bytes) => readJsonLines(bytes, 0x0a);
  return essence === "text/event-stream" ? readEvents : undefined;
}

const NO_SEPARATOR = new Malformed("parse", "does not start with a record separator (RFC 7464)");
const NOT_UTF8 = new Malformed("parse", "is not UTF-8, which events are written in");

/** Each text starts with a record separator (RFC 7464 §2.2). */
function* readJsonSequence(bytes: Buffer): Iterable<unknown> {
  const first = bytes.indexOf(0x1e);
  if (!isBlank(first < 0 ? bytes : bytes.subarray(0, first))) yield NO_SEPARATOR;
  if (first >= 0) yield* readJsonLines(bytes.subarray(first), 0x1e);
}

function* readJsonLines(bytes: Buffer, separator: number): Iterable<unknown> {
  for (let start = 0; start < bytes.length; ) {
    const found = bytes.indexOf(separator, start);
    const end = found < 0 ? bytes.length : found;
    const line = bytes.subarray(start, end);
    if (!isBlank(line)) yield parseJson(line);
    start = end + 1;
  }
}

const isBlank = (line: Buffer): boolean =>
  line.every((byte) => byte === 0x20 || byte === 0x0d || byte === 0x09 || byte === 0x0a);

/** Server-sent events, each as an object of its fields (OpenAPI 3.2 §4.14.2.2). */
function* readEvents(bytes: Buffer): Iterable<unknown> {
  if (!isUtf8(bytes)) yield NOT_UTF8;
  const lines = bytes
    .toString("utf8")
    .replace(/^\ufeff/, "")
    .replace(/\r\n?/g, "\n");
  for (const block of lines.split(/\n{2,}/)) {
    const event = readEvent(block);
    if (event !== undefined) yield event;
  }
}

function readEvent(block: string): unknown {
  const event: Record<string, unknown> = Object.create(null);
  let data: string | undefined;
  for (const line of block.split("\n")) {
    if (line === "" || line.startsWith(":")) continue;
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") data = data === undefined ? value : `${data}\n${value}`;
    else if (field === "event" || field === "id") event[field] = value;
    else if (field === "retry") {
      if (!/^\d+$/.test(value)) return new Malformed("parse", "has a retry that is not a number");
      event.retry = Number(value);
    }
  }
  if (data !== undefined) event.data = data;
  return Object.keys(event).length === 0 ? undefined : event;
}
