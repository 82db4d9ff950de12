import { readFieldLines } from "../../core/field-lines.ts";
import { HeaderList } from "../../core/headers.ts";
import { HOP_BY_HOP } from "../hop-by-hop.ts";
import { malformed } from "../upstream-error.ts";

/** Lengths that are none. */
export const IN_CHUNKS = -1;
export const UNTIL_CLOSE = -2;

/** The status line and header section of an answer, and what follows from them for its connection. */
export interface AnswerHead {
  readonly status: number;
  /** Without the fields of this hop. */
  readonly headers: HeaderList;
  /** Bytes of the body, IN_CHUNKS or UNTIL_CLOSE. */
  readonly bodyBytes: number;
  readonly keepsAlive: boolean;
  /** Seconds that the upstream keeps an idle connection, where it says so. */
  readonly keepAliveSeconds: number | undefined;
}

const STATUS_LINE = /HTTP\/1\.([01]) ([1-9]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?\r\n/y;
const KEEP_ALIVE_TIMEOUT = /(?:^|[,;\s])timeout=(\d{1,6})/i;

const LENGTH = 1;
const CODING = 2;
const CONNECTION = 3;
const KEEP_ALIVE = 4;
const HOP = 5;
const MEANINGS: ReadonlyMap<string, number> = new Map([
  ...[...HOP_BY_HOP].map((name): [string, number] => [name, HOP]),
  ["content-length", LENGTH],
  ["transfer-encoding", CODING],
  ["connection", CONNECTION],
  ["keep-alive", KEEP_ALIVE],
]);

/**
 * Reads the head of one answer. What two readers could take differently is refused (RFC 9112 §6.3, §11.1).
 * @param text from `from` to `end`, where the empty line begins
 * @throws UpstreamError malformed
 */
export function readAnswerHead(text: string, from: number, end: number, isHead: boolean): AnswerHead {
  STATUS_LINE.lastIndex = from;
  const line = STATUS_LINE.exec(text);
  if (line === null) throw malformed("the status line is not one of HTTP/1.1");
  const isVersion10 = line[1] === "0";
  const status = Number(line[2]);
  if (isVersion10 && status < 200) throw malformed("HTTP/1.0 knows no interim answers");
  const flat: string[] = [];
  const names: string[] = [];
  const fault = readFieldLines(text, STATUS_LINE.lastIndex, end + 2, { flat, names });
  if (fault !== undefined) throw malformed(fault);

  let length: number | undefined;
  let isChunked = false;
  let connection: string | undefined;
  let keepAlive: string | undefined;
  let kept = 0;
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as string;
    const value = flat[(i << 1) + 1] as string;
    const meaning = MEANINGS.get(name);
    if (meaning !== undefined && meaning !== LENGTH) {
      if (meaning === CONNECTION) connection = connection === undefined ? value : `${connection},${value}`;
      else if (meaning === KEEP_ALIVE) keepAlive = value;
      else if (meaning === CODING) {
        if (isChunked || isVersion10 || value.toLowerCase() !== "chunked") throw malformed("Transfer-Encoding");
        isChunked = true;
      }
      continue;
    }
    if (meaning === LENGTH) {
      if (length !== undefined) throw malformed("Content-Length stands there twice");
      length = readLength(value);
    }
    if (kept !== i) {
      names[kept] = name;
      flat[kept << 1] = flat[i << 1] as string;
      flat[(kept << 1) + 1] = value;
    }
    kept++;
  }
  if (kept !== names.length) {
    names.length = kept;
    flat.length = kept << 1;
  }
  const headers = new HeaderList(flat, names, true);
  const options = connection === undefined ? undefined : readConnection(connection, headers);
  return {
    status,
    headers,
    bodyBytes: framing(status, isHead, length, isChunked),
    keepsAlive: isVersion10 ? options === "keep-alive" : options !== "close",
    keepAliveSeconds: keepAlive === undefined ? undefined : readTimeout(keepAlive),
  };
}

function readLength(value: string): number {
  const length = /^\d{1,16}$/.test(value) ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(length)) throw malformed("Content-Length is not a number of bytes");
  return length;
}

/** RFC 9112 §6.3. */
function framing(status: number, isHead: boolean, length: number | undefined, isChunked: boolean): number {
  if (isChunked && length !== undefined) throw malformed("Content-Length and Transfer-Encoding stand there together");
  if (status < 200 || status === 204) {
    if (isChunked || (length ?? 0) > 0) throw malformed(`${status} has no body`);
    return 0;
  }
  if (isHead || status === 304) return 0;
  return isChunked ? IN_CHUNKS : (length ?? UNTIL_CLOSE);
}

/** Drops the fields that `Connection` names. @returns the option that decides about the connection */
function readConnection(connection: string, headers: HeaderList): "close" | "keep-alive" | undefined {
  if (connection === "keep-alive" || connection === "close") return connection;
  const named = new Set(connection.split(",").map((token) => token.trim().toLowerCase()));
  named.delete("content-length");
  if ([...named].some((name) => headers.has(name))) headers.filter((name) => !named.has(name));
  return named.has("close") ? "close" : named.has("keep-alive") ? "keep-alive" : undefined;
}

function readTimeout(keepAlive: string): number | undefined {
  const seconds = KEEP_ALIVE_TIMEOUT.exec(keepAlive)?.[1];
  return seconds === undefined ? undefined : Number(seconds);
}
