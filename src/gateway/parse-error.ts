import type { Socket } from "node:net";
import { type ErrorCode, GatewayError } from "../core/errors.ts";
import type { HeaderList } from "../core/headers.ts";
import { toProblem } from "../core/problem.ts";

const REASONS: Readonly<Record<number, string>> = {
  400: "Bad Request",
  408: "Request Timeout",
  413: "Content Too Large",
  431: "Request Header Fields Too Large",
  503: "Service Unavailable",
  505: "HTTP Version Not Supported",
};
/** How long the answer may take to leave before the connection is cut. */
const LINGER_MS = 1_000;

type Refusal = readonly [ErrorCode, string];
const NO_REQUEST: Refusal = ["REQUEST_MALFORMED", "the bytes are not an HTTP request"];
const byParserCode: Readonly<Record<string, Refusal>> = {
  HPE_HEADER_OVERFLOW: ["HEADERS_TOO_LARGE", "the header section is too large"],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: ["REQUEST_MALFORMED", "the chunk extensions are too large"],
  ERR_HTTP_REQUEST_TIMEOUT: ["REQUEST_TIMEOUT", "the request did not arrive in time"],
};

/** Fields that are too large are trailers there. ATTACKS 8. */
const inBody: Readonly<Record<string, Refusal>> = {
  ...byParserCode,
  HPE_HEADER_OVERFLOW: ["REQUEST_MALFORMED", "the trailer section is too large"],
};

const ANSWERED = Symbol("answered");
type KnownSocket = Socket & { [ANSWERED]?: true };

/** What is under way on the connection whose bytes the parser refuses. */
export type UnderWay =
  /** Nothing: the mistake is in a head. */
  | "head"
  /** A request whose body is the mistake, and that has no answer yet. */
  | "body"
  /** An answer whose request was whole: it is finished, as the mistake is in what came after it. */
  | "answering"
  /** The body of a request whose answer has begun: a second answer would be taken for a part of the first. */
  | "begun";

/**
 * Answers what the parser refused: the same problem document as everywhere, then the end of the connection, as nobody
 * knows where the next request would begin.
 */
export function answerParseError(error: Error, socket: Socket, id: string, underWay: UnderWay): void {
  const known = socket as KnownSocket;
  if (known[ANSWERED] === true) return;
  known[ANSWERED] = true;
  const parserCode = String((error as NodeJS.ErrnoException).code);
  if (parserCode === "ECONNRESET" || !socket.writable || underWay === "begun") {
    socket.destroy();
    return;
  }
  if (underWay === "answering") return;
  const [code, detail] = isOtherVersion(parserCode, error)
    ? (["VERSION_UNSUPPORTED", "send HTTP/1.1"] as const)
    : ((underWay === "body" ? inBody : byParserCode)[parserCode] ?? NO_REQUEST);
  endWith(new GatewayError(code, detail), socket, id);
}

const REQUEST_LINE = /^[A-Z]+ \S+ HTTP\/\d\.\d\r\n/;

/** A request line that is well formed and names a version that is not spoken here (RFC 9110 §15.6.6). */
const isOtherVersion = (parserCode: string, error: Error): boolean =>
  parserCode === "HPE_INVALID_VERSION" &&
  REQUEST_LINE.test(String((error as { rawPacket?: Buffer }).rawPacket?.subarray(0, 8_192).toString("latin1")));

/** Writes an answer of ours straight to a socket and ends it. */
export function endWith(error: GatewayError, socket: Socket, id: string): void {
  const { status, headers, body } = toProblem(error, id);
  headers.append("Date", new Date().toUTCString());
  headers.append("Connection", "close");
  writeHead(socket, status, REASONS[status] ?? "Error", headers);
  socket.on("error", () => socket.destroy());
  socket.end(String(body));
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  timer.unref();
  socket.once("close", () => clearTimeout(timer));
}

/** Writes the head of an answer where Node has no response to write it with. */
export function writeHead(socket: Socket, status: number, reason: string, headers: HeaderList): void {
  let head = `HTTP/1.1 ${status} ${reason}\r\n`;
  headers.forEach((name, value) => {
    head += `${name}: ${value}\r\n`;
  });
  socket.write(`${head}\r\n`, "latin1");
}
