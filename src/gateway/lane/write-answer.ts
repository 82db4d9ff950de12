import { STATUS_CODES } from "node:http";
import type { HeaderList } from "../../core/headers.ts";
import { findRest } from "../joined-body.ts";
import { NODES_OWN } from "../write-lines.ts";
import type { DateField } from "./date-field.ts";

export interface WholeAnswer {
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: Buffer | null;
}

/** Of an answer that has a body by its status alone (RFC 9112 §6.3). */
const hasBody = (status: number): boolean => status !== 204 && status !== 304;

export interface WrittenAnswer {
  /** As latin1; all of the answer but for `rest`. */
  readonly text: string;
  /** A body that is too long for the text, and follows it. */
  readonly rest: Buffer | undefined;
}

/**
 * An answer with the fields and in the order in which `node:http` writes them.
 * @param keepAlive the lines that tell how long the connection stays; undefined where the answer is the last of it
 * @returns undefined when there is something in it that only `node:http` knows how to write, or to refuse
 */
export function writeAnswer(
  method: string,
  { status, headers, body }: WholeAnswer,
  keepAlive: string | undefined,
  date: DateField,
): WrittenAnswer | undefined {
  if (!Number.isInteger(status) || status < 200 || status > 999) return undefined;
  const own: string[] = [];
  const lines = headers.toLines(NODES_OWN, own);
  if (lines === undefined) return undefined;
  let last = "";
  let hasDate = false;
  let hasLength = false;
  let isLast = false;
  for (let i = 0; i < own.length; i += 2) {
    const name = own[i] as string;
    const value = own[i + 1] as string;
    const lower = name.toLowerCase();
    if (lower === "date") hasDate = true;
    else if (lower === "content-length") hasLength = true;
    else if (lower === "connection" && value === "close") isLast = true;
    else return undefined;
    last += `${name}: ${value}\r\n`;
  }
  if (isLast !== (keepAlive === undefined)) return undefined;
  if (!hasDate) last += date.now();
  if (keepAlive !== undefined) last += keepAlive;
  const isSent = method !== "HEAD" && hasBody(status);
  if (isSent && !hasLength) last += `Content-Length: ${body?.length ?? 0}\r\n`;
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "unknown"}\r\n${lines}${last}\r\n`;
  if (!isSent || body === null) return { text: head, rest: undefined };
  const rest = findRest(body);
  return { text: rest === undefined ? head + body.toString("latin1") : head, rest };
}
