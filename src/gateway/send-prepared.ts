import { type ServerResponse, STATUS_CODES } from "node:http";
import type { GatewayResponse } from "../core/exchange.ts";
import { FieldGroup } from "../core/field-group.ts";
import type { HeaderList } from "../core/headers.ts";
import type { Prepared } from "../core/prepared.ts";
import { findRest } from "./joined-body.ts";
import { NODES_OWN } from "./write-lines.ts";

/** What Node's own `writeHead` sets and reads. */
interface Internals {
  _header: unknown;
  readonly _keepAliveTimeout?: unknown;
  readonly _defaultKeepAlive?: unknown;
  readonly maxRequestsOnConnectionReached?: unknown;
}

/** Says something of the connection or of the framing, or is added by Node: not for a text that is made beforehand. */
const NOT_PREPARED = new FieldGroup("connection", "keep-alive", "trailer", "transfer-encoding", "upgrade");

/**
 * Sends an answer as it was written out before, on a connection that stays open.
 * @returns false when it has to be put together: it has changed, has not left often enough, or this Node differs
 */
export function sendPrepared(outgoing: ServerResponse, response: GatewayResponse): boolean {
  const known = outgoing as unknown as Internals;
  if (known._header !== null || !outgoing.shouldKeepAlive || outgoing.req.httpVersion !== "1.1") return false;
  if (known.maxRequestsOnConnectionReached === true || known._defaultKeepAlive !== true) return false;
  const text = findPrepared(response, Number(known._keepAliveTimeout) || 0);
  if (text === undefined) return false;
  outgoing.statusCode = response.status;
  known._header = text;
  const rest = findRest(response.headers.prepared?.body ?? null);
  if (rest === undefined) outgoing.end();
  else outgoing.end(rest);
  return true;
}

/**
 * An answer as it was written out before, for a connection that stays open that long; without its {@link findRest}.
 * @returns undefined when it has to be put together: it has changed, or has not left often enough
 */
export function findPrepared(response: GatewayResponse, keepAliveMs: number): string | undefined {
  const { prepared } = response.headers;
  if (prepared === undefined || prepared.status !== response.status || prepared.body !== response.body)
    return undefined;
  if (prepared.text === undefined || prepared.keepAliveMs !== keepAliveMs) {
    if (prepared.times++ === 0) return undefined;
    prepared.text = writeOut(prepared, response.headers, keepAliveMs);
    prepared.keepAliveMs = keepAliveMs;
  }
  return prepared.text;
}

/** @returns undefined for what only Node can write */
function writeOut({ status, body }: Prepared, headers: HeaderList, keepAliveMs: number): string | undefined {
  if (!headers.has("date") || headers.hasAnyOf(NOT_PREPARED)) return undefined;
  if (status !== 304 && (body === null || headers.get("content-length") !== String(body.length))) return undefined;
  // In the order in which Node writes them: the answer is the same, whoever wrote it.
  const own: string[] = [];
  const lines = headers.toLines(NODES_OWN, own);
  if (lines === undefined) return undefined;
  let last = "";
  for (let i = 0; i < own.length; i += 2) last += `${own[i]}: ${own[i + 1]}\r\n`;
  const keepAlive = keepAliveMs > 0 ? `Keep-Alive: timeout=${Math.floor(keepAliveMs / 1000)}\r\n` : "";
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "unknown"}\r\n${lines}${last}Connection: keep-alive\r\n${keepAlive}\r\n`;
  // Through a Buffer, so that it is one flat string: pieces would be joined anew for each client.
  const joined = findRest(body) === undefined ? (body?.toString("latin1") ?? "") : "";
  return Buffer.from(head + joined, "latin1").toString("latin1");
}
