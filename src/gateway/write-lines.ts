import { type ServerResponse, STATUS_CODES } from "node:http";
import type { GatewayResponse } from "../core/exchange.ts";

/** What Node's own `writeHead` sets and calls. */
interface Internals {
  _header: unknown;
  _hasBody: boolean;
  readonly _expect_continue?: boolean;
  readonly _sent100?: boolean;
  _storeHeader?(firstLine: string, fields: readonly string[]): void;
}

/** Node looks at these: they say something of the connection or of the framing, or keep it from adding its own. */
export const NODES_OWN: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "date",
  "expect",
  "keep-alive",
  "trailer",
  "transfer-encoding",
]);

/**
 * Writes the header section of an answer. Node's `writeHead` asks three regular expressions about each field; what has
 * been read by a strict parser, or asked when it was set, is handed to it as lines: 2 µs less for ten fields.
 * @throws what `writeHead` throws for a field that cannot be written
 */
export function writeLines(outgoing: ServerResponse, { status, headers }: GatewayResponse): void {
  const known = outgoing as unknown as Internals;
  const canStore = typeof known._storeHeader === "function" && known._header === null;
  const own: string[] = [];
  const lines =
    canStore && Number.isInteger(status) && status >= 200 && status <= 999
      ? headers.toLines(NODES_OWN, own)
      : undefined;
  if (lines === undefined) {
    outgoing.writeHead(status, headers.toFlat());
    return;
  }
  const message = STATUS_CODES[status] ?? "unknown";
  outgoing.statusCode = status;
  outgoing.statusMessage = message;
  if (status === 204 || status === 304) known._hasBody = false;
  // A client that still waits for leave to send its body may send it after all.
  if (known._expect_continue === true && known._sent100 !== true) outgoing.shouldKeepAlive = false;
  known._storeHeader?.(`HTTP/1.1 ${status} ${message}\r\n${lines}`, own);
}
