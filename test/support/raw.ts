import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import type { TestContext } from "node:test";

/** What one connection brought back. */
export interface RawAnswer {
  /** All bytes, as latin1. */
  readonly text: string;
  /** Status of each final answer in order. Interim ones are left out. */
  readonly statuses: readonly number[];
  /** True when the server ended the connection. */
  readonly isClosed: boolean;
}

export interface RawOptions {
  /** Stop reading once that many final answers are there. Default: until the server closes, or is quiet. */
  readonly answers?: number;
  /** The server counts as quiet after that long without a byte. Only for what must not be answered. */
  readonly quietMs?: number;
}

const DEADLINE_MS = 15_000;
const STATUS_LINE = /HTTP\/1\.[01] (\d{3}) /g;

const toAnswer = (text: string, isClosed: boolean): RawAnswer => ({
  text,
  statuses: [...text.matchAll(STATUS_LINE)].map((match) => Number(match[1])).filter((status) => status >= 200),
  isClosed,
});

/**
 * Writes bytes to a socket, as they are, and reads what comes. A part that is a number waits that many milliseconds.
 * @param base of a server to connect to, or a socket that is connected
 */
export async function sendRaw(
  base: string | Socket,
  parts: string | readonly (string | number)[],
  options: RawOptions = {},
): Promise<RawAnswer> {
  const socket = typeof base === "string" ? connect(Number(new URL(base).port), new URL(base).hostname) : base;
  let text = "";
  let isClosed = false;
  let wake = (): void => {};
  socket.on("data", (chunk) => {
    text += chunk.toString("latin1");
    wake();
  });
  socket.on("error", () => {});
  socket.on("close", () => {
    isClosed = true;
    wake();
  });
  if (socket.connecting) await once(socket, "connect");
  for (const part of [parts].flat()) {
    if (typeof part === "number") await new Promise((resolve) => setTimeout(resolve, part));
    else if (!socket.destroyed) socket.write(part, "latin1");
  }
  const endsAtMs = Date.now() + DEADLINE_MS;
  while (!isClosed && Date.now() < endsAtMs) {
    if (options.answers !== undefined && toAnswer(text, false).statuses.length >= options.answers) break;
    const before = text.length;
    const waitMs = Math.min(options.quietMs ?? DEADLINE_MS, endsAtMs - Date.now());
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    if (options.quietMs !== undefined && text.length === before) break;
  }
  socket.destroy();
  return toAnswer(text, isClosed);
}

/** An upstream that keeps every byte that reaches it and answers as it is told, in bytes. */
export interface RawUpstream {
  readonly url: string;
  /** The bytes of each request in order of arrival, as latin1. */
  readonly requests: string[];
  /** Connections that were ever opened, and those that are open. */
  readonly connections: { opened: number; open: number };
  answer: (request: string, socket: Socket) => void;
  /** Instead of `answer`, and without waiting for the body: told of the first bytes of each connection. */
  answerEarly?: ((socket: Socket) => void) | undefined;
}

const OK = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nOK";
export const answerOk = (_request: string, socket: Socket): void => {
  socket.write(OK);
};

/** @param answer is called once for each whole request */
export async function startRawUpstream(t: TestContext, answer: RawUpstream["answer"] = answerOk): Promise<RawUpstream> {
  const sockets = new Set<Socket>();
  const upstream: RawUpstream = { url: "", requests: [], connections: { opened: 0, open: 0 }, answer };
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    upstream.connections.opened++;
    upstream.connections.open++;
    let pending = "";
    socket.once("data", () => upstream.answerEarly?.(socket));
    socket.on("data", (chunk) => {
      if (upstream.answerEarly !== undefined) return;
      pending += chunk.toString("latin1");
      for (let length = findRequest(pending); length > 0; length = findRequest(pending)) {
        const request = pending.slice(0, length);
        pending = pending.slice(length);
        upstream.requests.push(request);
        upstream.answer(request, socket);
      }
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      sockets.delete(socket);
      upstream.connections.open--;
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return Object.assign(upstream, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

/** @returns the length of the request at the start of `text`; 0 when it is not whole */
function findRequest(text: string): number {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return 0;
  const head = text.slice(0, end).toLowerCase();
  const length = /\r\ncontent-length: *(\d+)/.exec(head);
  if (length !== null) return text.length >= end + 4 + Number(length[1]) ? end + 4 + Number(length[1]) : 0;
  if (!/\r\ntransfer-encoding:/.test(head)) return end + 4;
  const last = /\r\n0\r\n(?:[^\r\n]+\r\n)*\r\n/.exec(text.slice(end + 2));
  return last === null ? 0 : end + 2 + last.index + last[0].length;
}
