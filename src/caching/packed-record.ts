import { HeaderList } from "../core/headers.ts";
import type { StoredAnswer, StoredRecord, VariantIndex } from "./answer.ts";
import type { OperationNames } from "./operation-names.ts";
import { HEAD_BYTES, type Memory } from "./segments.ts";

/** How a record stands in memory: to be written where there is room for it. */
export interface Layout {
  readonly size: number;
  readonly record: StoredRecord;
  /** After the key, what few records have: of most, nothing. */
  readonly rare: string;
  /** After that, the header section: a prefix and a value in turn, each character a byte, and so many bytes. */
  readonly prefixes: readonly string[];
  readonly values: HeaderList | undefined;
  readonly headBytes: number;
  /** Number of the operation in the names. */
  readonly operation: number;
}

/** What few records need said: a resource that is no part of the key, tags, the shape of an error's request. */
type Rare = readonly [resource: string | 0, tags: readonly string[], shape: string];

const BORN_AT = HEAD_BYTES;
const FRESH_UNTIL_AT = BORN_AT + 8;
const WHILE_REVALIDATE_AT = FRESH_UNTIL_AT + 8;
const IF_ERROR_AT = WHILE_REVALIDATE_AT + 4;
const SEQ_AT = IF_ERROR_AT + 4;
const LOCAL_SEQ_AT = SEQ_AT + 4;
const OPERATION_AT = LOCAL_SEQ_AT + 4;
const STATUS_AT = OPERATION_AT + 2;
const KEY_LENGTH_AT = STATUS_AT + 2;
const RARE_LENGTH_AT = KEY_LENGTH_AT + 2;
const HEAD_LENGTH_AT = RARE_LENGTH_AT + 2;
const FLAGS_AT = HEAD_LENGTH_AT + 2;
const KEY_AT = FLAGS_AT + 1;

const IS_VARIANTS = 1;
const MUST_REVALIDATE = 2;
const ALWAYS_ASK = 4;
const HAS_BODY = 8;

/** Field names that are one byte, as they are spelled most. */
const NAMES = (
  "Accept-Ranges Access-Control-Allow-Credentials Access-Control-Allow-Origin Access-Control-Expose-Headers Age Allow " +
  "Cache-Control Cache-Tag CDN-Cache-Control Connection Content-Disposition Content-Encoding Content-Language " +
  "Content-Length Content-Location Content-Security-Policy Content-Type Date Deprecation ETag Expires Last-Modified Link " +
  "Location Pragma Referrer-Policy Server Strict-Transport-Security Sunset Surrogate-Control Surrogate-Key " +
  "Timing-Allow-Origin Vary Via X-Content-Type-Options X-Frame-Options X-Powered-By X-Request-Id X-XSS-Protection"
).split(" ");
const SPELLED = [...NAMES, ...NAMES.map((name) => name.toLowerCase())];
const LOWER = SPELLED.map((name) => name.toLowerCase());
/** 0 stands for a name that is written out. */
const CODES = new Map(SPELLED.map((name, i) => [name, String.fromCharCode(i + 1)]));
const OTHER = "\x00";

const NOT_ONE_BYTE = /[^\x00-\xff]/;
const NOTHING_RARE = "";

/** @returns undefined for what has no place in the layout: it is kept as it is */
export function findLayout(record: StoredRecord, names: OperationNames): Layout | undefined {
  const layout = record.kind === "variants" ? layOutVariants(record) : findAnswerLayout(record, names);
  if (layout === undefined) return undefined;
  const { key } = record;
  const { rare, headBytes, operation } = layout;
  if (key.length > 0xffff || rare.length > 0xffff || headBytes > 0xffff || operation > 0xffff) return undefined;
  return NOT_ONE_BYTE.test(key) || (rare !== NOTHING_RARE && NOT_ONE_BYTE.test(rare)) ? undefined : layout;
}

function layOutVariants(record: VariantIndex): Layout {
  // The names of fields and a random id: no character beyond a byte.
  const head = JSON.stringify([record.generation, record.selectors]);
  const size = KEY_AT + record.key.length + head.length;
  return {
    size,
    record,
    rare: NOTHING_RARE,
    prefixes: [head],
    values: undefined,
    headBytes: head.length,
    operation: 0,
  };
}

function findAnswerLayout(record: StoredAnswer, names: OperationNames): Layout | undefined {
  const { headers, body, freshness } = record;
  const { staleWhileRevalidateMs, staleIfErrorMs } = freshness;
  if (record.chunks !== undefined || record.length !== (body?.length ?? 0)) return undefined;
  if (!isSeconds(staleWhileRevalidateMs) || !isSeconds(staleIfErrorMs)) return undefined;
  if (!headers.isKnownSafe && headers.toFlat().some(isUnfit)) return undefined;
  const prefixes = lastNames.prefixesOf(headers);
  let headBytes = lastNames.prefixBytes;
  for (let i = 0; i < headers.size; i++) headBytes += headers.valueAt(i).length;
  const rare = rareText(record);
  const size = KEY_AT + record.key.length + rare.length + headBytes + record.length;
  return { size, record, rare, prefixes, values: headers, headBytes, operation: names.numberOf(record) };
}

const isSeconds = (ms: number): boolean => ms % 1000 === 0 && ms < 0xffff_ffff * 1000;

const isUnfit = (text: string): boolean => UNFIT.test(text);
/** It ends the line, or is more than a byte. */
const UNFIT = /[^\x00-\x09\x0b-\xff]/;

/**
 * What goes before each value of a header section, and after the last. Answers after one another nearly always have the
 * same names.
 */
class LastNames {
  private names: string[] = [];
  private prefixes: string[] = [];
  prefixBytes = 0;

  prefixesOf(headers: HeaderList): readonly string[] {
    if (!this.areIn(headers)) {
      this.names = headers.toFlat().filter((_text, i) => i % 2 === 0);
      this.prefixes = this.names.map((name, i) => (i === 0 ? "" : "\n") + (CODES.get(name) ?? `${OTHER}${name}\n`));
      if (this.names.length > 0) this.prefixes.push("\n");
      this.prefixBytes = this.prefixes.join("").length;
    }
    return this.prefixes;
  }

  private areIn(headers: HeaderList): boolean {
    const { names } = this;
    if (names.length !== headers.size) return false;
    for (let i = 0; i < names.length; i++) if (names[i] !== headers.nameAt(i)) return false;
    return true;
  }
}
const lastNames = new LastNames();

function rareText({ resource, tags, shape }: StoredAnswer): string {
  if (resource === undefined && tags.length === 0 && shape === "") return NOTHING_RARE;
  return JSON.stringify([resource ?? 0, tags, shape] satisfies Rare);
}

/** Writes it behind the head that the memory has there already. */
export function writeRecord(layout: Layout, { bytes, view }: Memory, at: number): void {
  const { record, rare, headBytes } = layout;
  const { key } = record;
  view.setUint16(at + OPERATION_AT, layout.operation, true);
  view.setUint16(at + KEY_LENGTH_AT, key.length, true);
  view.setUint16(at + RARE_LENGTH_AT, rare.length, true);
  view.setUint16(at + HEAD_LENGTH_AT, headBytes, true);
  const bodyAt = writeTexts(layout, bytes, at + KEY_AT);
  if (record.kind === "variants") {
    bytes[at + FLAGS_AT] = IS_VARIANTS;
    return;
  }
  const { freshness, body } = record;
  view.setFloat64(at + BORN_AT, freshness.bornAtMs, true);
  view.setFloat64(at + FRESH_UNTIL_AT, freshness.freshUntilMs, true);
  view.setUint32(at + WHILE_REVALIDATE_AT, freshness.staleWhileRevalidateMs / 1000, true);
  view.setUint32(at + IF_ERROR_AT, freshness.staleIfErrorMs / 1000, true);
  view.setUint32(at + SEQ_AT, record.seq, true);
  view.setInt32(at + LOCAL_SEQ_AT, record.localSeq, true);
  view.setUint16(at + STATUS_AT, record.status, true);
  bytes[at + FLAGS_AT] =
    (freshness.mustRevalidate ? MUST_REVALIDATE : 0) |
    (freshness.alwaysAsk ? ALWAYS_ASK : 0) |
    (body === null ? 0 : HAS_BODY);
  if (body !== null) bytes.set(body, bodyAt);
}

/** @returns where they end */
function writeTexts({ record, rare, prefixes, values }: Layout, bytes: Buffer, from: number): number {
  let at = writeText(record.key, bytes, from);
  at = writeText(rare, bytes, at);
  for (let i = 0; i < prefixes.length; i++) {
    at = writeText(prefixes[i] as string, bytes, at);
    if (values !== undefined && i < values.size) at = writeText(values.valueAt(i), bytes, at);
  }
  return at;
}

/** Joined into one text first, they would all be copied twice. @returns where it ends */
function writeText(text: string, bytes: Buffer, at: number): number {
  const { length } = text;
  if (length > SHORT) bytes.write(text, at, "latin1");
  else for (let i = 0; i < length; i++) bytes[at + i] = text.charCodeAt(i);
  return at + length;
}
/** Characters that are written sooner than the way to native code is gone. */
const SHORT = 64;

export const isVariants = ({ bytes }: Memory, at: number): boolean =>
  ((bytes[at + FLAGS_AT] as number) & IS_VARIANTS) !== 0;

/** Whether the record there has that key. */
export function hasKey({ bytes, view }: Memory, at: number, key: string): boolean {
  if (view.getUint16(at + KEY_LENGTH_AT, true) !== key.length) return false;
  for (let i = 0; i < key.length; i++) if (bytes[at + KEY_AT + i] !== key.charCodeAt(i)) return false;
  return true;
}

export const operationAt = ({ view }: Memory, at: number): number => view.getUint16(at + OPERATION_AT, true);

/** The record there, which shares no memory with it. @param size of all of it */
export function readRecord(memory: Memory, at: number, size: number, key: string, names: OperationNames): StoredRecord {
  const { bytes, view } = memory;
  const flags = bytes[at + FLAGS_AT] as number;
  const rareAt = at + KEY_AT + view.getUint16(at + KEY_LENGTH_AT, true);
  const headAt = rareAt + view.getUint16(at + RARE_LENGTH_AT, true);
  const bodyAt = headAt + view.getUint16(at + HEAD_LENGTH_AT, true);
  const head = bytes.toString("latin1", headAt, bodyAt);
  if ((flags & IS_VARIANTS) !== 0) {
    const [generation, selectors] = JSON.parse(head) as [string, string[][]];
    return { kind: "variants", key, generation, selectors };
  }
  const body = (flags & HAS_BODY) === 0 ? null : copyOf(bytes, bodyAt, at + size);
  const [resource, tags, shape]: Rare =
    rareAt === headAt ? [0, NO_TAGS, ""] : JSON.parse(bytes.toString("latin1", rareAt, headAt));
  const { operation, operationName } = names.at(operationAt(memory, at));
  return {
    kind: "answer",
    key,
    resource: resource === 0 ? undefined : resource,
    operation,
    operationName,
    tags,
    status: view.getUint16(at + STATUS_AT, true),
    headers: toHeaders(head),
    body,
    chunks: undefined,
    length: body?.length ?? 0,
    freshness: {
      bornAtMs: view.getFloat64(at + BORN_AT, true),
      freshUntilMs: view.getFloat64(at + FRESH_UNTIL_AT, true),
      staleWhileRevalidateMs: view.getUint32(at + WHILE_REVALIDATE_AT, true) * 1000,
      staleIfErrorMs: view.getUint32(at + IF_ERROR_AT, true) * 1000,
      mustRevalidate: (flags & MUST_REVALIDATE) !== 0,
      alwaysAsk: (flags & ALWAYS_ASK) !== 0,
    },
    shape,
    seq: view.getUint32(at + SEQ_AT, true),
    localSeq: view.getInt32(at + LOCAL_SEQ_AT, true),
    view: undefined,
  };
}

const NO_TAGS: readonly string[] = Object.freeze([]);

function copyOf(bytes: Buffer, from: number, to: number): Buffer {
  const copy = Buffer.allocUnsafe(to - from);
  bytes.copy(copy, 0, from, to);
  return copy;
}

function toHeaders(head: string): HeaderList {
  const flat: string[] = [];
  const lowerNames: string[] = [];
  for (let at = 0; at < head.length; ) {
    const code = head.charCodeAt(at) - 1;
    let valueAt = at + 1;
    if (code < 0) {
      valueAt = head.indexOf("\n", at) + 1;
      const name = head.slice(at + 1, valueAt - 1);
      flat.push(name);
      lowerNames.push(name.toLowerCase());
    } else {
      flat.push(SPELLED[code] as string);
      lowerNames.push(LOWER[code] as string);
    }
    at = head.indexOf("\n", valueAt) + 1;
    flat.push(head.slice(valueAt, at - 1));
  }
  return new HeaderList(flat, lowerNames);
}
