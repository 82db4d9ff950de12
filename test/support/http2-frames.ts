import { once } from "node:events";
import type { TestContext } from "node:test";
import { connect, type TLSSocket } from "node:tls";
import { eventually } from "./eventually.ts";

export const TYPE = {
  data: 0,
  headers: 1,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;
export const FLAG = { none: 0, endStream: 1, ack: 1, endHeaders: 4 } as const;

/** A frame as RFC 9113 §4.1 writes it, whatever it says. */
export function frame(type: number, flags: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

export const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

/** One setting, as its frame's payload has it. */
export const setting = (id: number, value: number): Buffer => Buffer.concat([Buffer.from([0, id]), uint32(value)]);

/** An HPACK integer (RFC 7541 §5.1). */
function integer(value: number, bits: number, pattern: number): Buffer {
  const max = (1 << bits) - 1;
  if (value < max) return Buffer.from([pattern | value]);
  const bytes = [pattern | max];
  let left = value - max;
  for (; left >= 128; left = Math.floor(left / 128)) bytes.push((left % 128) | 128);
  return Buffer.from([...bytes, left]);
}

const text = (value: string): Buffer => Buffer.concat([integer(value.length, 7, 0), Buffer.from(value, "latin1")]);

/** A field written out, never compressed. @param isKept in the table of the connection, to be named by its index */
export const field = (name: string, value: string, isKept = false): Buffer =>
  Buffer.concat([Buffer.from([isKept ? 0x40 : 0x00]), text(name), text(value)]);

/** A field by its index in the tables; 62 is the one that was kept last. */
export const indexed = (index: number): Buffer => integer(index, 7, 0x80);

/** A request's header section; a pseudo-field that is undefined is left out. */
export const section = (
  pseudo: Readonly<Record<string, string | undefined>>,
  fields: readonly (readonly [string, string])[] = [],
): Buffer => {
  const all = { ":method": "GET", ":scheme": "https", ":authority": "a", ":path": "/a", ...pseudo };
  const first = Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [field(name, value)]));
  return Buffer.concat([...first, ...fields.map(([name, value]) => field(name, value))]);
};

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** Takes frames out of bytes, however they are cut into reads. */
export class FrameReader {
  private pending: Buffer = Buffer.alloc(0);

  read(chunk: Buffer): Frame[] {
    this.pending = Buffer.concat([this.pending, chunk]);
    const found: Frame[] = [];
    for (;;) {
      const { pending } = this;
      const length = pending.length < 9 ? Number.POSITIVE_INFINITY : pending.readUIntBE(0, 3);
      if (pending.length < 9 + length) return found;
      found.push({
        type: pending.readUInt8(3),
        flags: pending.readUInt8(4),
        stream: pending.readUInt32BE(5) & 0x7fffffff,
        payload: pending.subarray(9, 9 + length),
      });
      this.pending = pending.subarray(9 + length);
    }
  }
}

/** A client that speaks HTTP/2 by single frames. */
export interface FrameClient {
  readonly socket: TLSSocket;
  readonly frames: readonly Frame[];
  readonly isClosed: () => boolean;
  /** Resolves once the bytes have left, or nobody is there to take them. */
  send(...frames: Buffer[]): Promise<void>;
  /** The first frame of that type, and of that stream where one is named. */
  received(type: number, stream?: number): Promise<Frame>;
  /** The frame that ends a stream. */
  ended(stream: number): Promise<Frame>;
  /** How a stream ended: its status, or the code of its reset, of a GOAWAY, or of a cut. */
  outcome(stream: number): Promise<{ status?: number; refused?: number }>;
}

export const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/** @param settings payload of the client's first SETTINGS */
export async function openFrames(t: TestContext, base: string, settings?: Buffer): Promise<FrameClient> {
  const { port } = new URL(base);
  const socket = connect({
    port: Number(port),
    host: "127.0.0.1",
    ALPNProtocols: ["h2"],
    rejectUnauthorized: false,
  });
  t.after(() => socket.destroy());
  const frames: Frame[] = [];
  const reader = new FrameReader();
  let isClosed = false;
  socket.on("data", (chunk: Buffer) => frames.push(...reader.read(chunk)));
  const close = (): void => {
    isClosed = true;
  };
  socket.on("error", close);
  socket.on("end", close);
  socket.on("close", close);
  await once(socket, "secureConnect");
  const find = (type: number, stream?: number): Frame | undefined =>
    frames.find((one) => one.type === type && (stream === undefined || one.stream === stream));
  const client: FrameClient = {
    socket,
    frames,
    isClosed: () => isClosed,
    send: (...sent) =>
      new Promise((resolve) => {
        if (isClosed) {
          resolve();
          return;
        }
        socket.once("close", () => resolve());
        socket.write(Buffer.concat(sent), () => resolve());
      }),
    received: (type, stream) => eventually(`a frame of type ${type}`, () => find(type, stream)),
    ended: (stream) =>
      eventually(`the end of stream ${stream}`, () =>
        frames.find((one) => one.stream === stream && one.type <= TYPE.headers && (one.flags & FLAG.endStream) !== 0),
      ),
    outcome: (stream) =>
      eventually(`the end of stream ${stream}`, () => {
        const reset = find(TYPE.rstStream, stream) ?? find(TYPE.goaway);
        if (reset !== undefined) return { refused: reset.payload.readUInt32BE(reset.type === TYPE.goaway ? 4 : 0) };
        const answer = find(TYPE.headers, stream);
        if (answer !== undefined) return { status: statusOf(answer.payload) };
        return isClosed ? { refused: -1 } : undefined;
      }),
  };
  await client.send(Buffer.from(PREFACE), frame(TYPE.settings, FLAG.none, 0, settings));
  return client;
}

/** RFC 7541, appendix A: the statuses that have an index, and those written out after the index of `:status`. */
const STATUSES: Readonly<Record<number, number>> = {
  136: 200,
  137: 204,
  138: 206,
  139: 304,
  140: 400,
  141: 404,
  142: 500,
};
function statusOf(payload: Buffer): number {
  const first = payload[0] as number;
  const known = STATUSES[first];
  if (known !== undefined) return known;
  const length = (payload[1] as number) & 0x7f;
  const isHuffman = ((payload[1] as number) & 0x80) !== 0;
  return isHuffman ? digits(payload.subarray(2, 2 + length)) : Number(payload.subarray(2, 2 + length).toString());
}

/** Three digits in Huffman's code (RFC 7541, appendix B): 0, 1 and 2 take five bits, the others six. */
function digits(bytes: Buffer): number {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  let found = "";
  for (let at = 0; found.length < 3; ) {
    const short = Number.parseInt(bits.slice(at, at + 5), 2);
    if (short <= 2) {
      found += short;
      at += 5;
    } else {
      found += Number.parseInt(bits.slice(at, at + 6), 2) - 0x19 + 3;
      at += 6;
    }
  }
  return Number(found);
}
