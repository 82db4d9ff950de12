import { constants, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import { MIN_BYTES_PER_SECOND } from "./client-watch.ts";

/** Streams that a client may open and reset in one window; more is a rapid reset (CVE-2023-44487). ATTACKS 46. */
const MAX_RESETS = 100;
/** SETTINGS and PING, each of which must be answered: a client has few reasons for either. */
const MAX_CONTROL_FRAMES = 100;
const WINDOW_MS = 10_000;
/** What one PING or SETTINGS moves both ways: it is no progress. */
const CONTROL_BYTES = 64;

/** A session rests that long between two streams, whatever frames come meanwhile. */
const IDLE_MS = 60_000;

export interface SessionPatience {
  /** How long a client may let its streams wait for it. */
  readonly stallMs: number;
  /** From the opening of a session to the whole head of its first request: a preface, or half of one, is no request. */
  readonly headerMs: number;
}

/** Ends a session that does what only an attacker does, or that nobody uses. */
export function limitSession(session: ServerHttp2Session, { stallMs, headerMs }: SessionPatience): void {
  const resets = new Meter(session, MAX_RESETS);
  const controls = new Meter(session, MAX_CONTROL_FRAMES);
  const streams = new Set<ServerHttp2Stream>();
  let controlFrames = 0;
  const onControl = (): void => {
    controlFrames++;
    controls.count();
  };
  session.on("ping", onControl);
  session.on("remoteSettings", onControl);
  let restsSinceMs = performance.now();
  const unasked = setTimeout(() => endSession(session, constants.NGHTTP2_NO_ERROR), headerMs);
  unasked.unref();
  session.on("stream", (stream) => {
    clearTimeout(unasked);
    streams.add(stream);
    stream.once("close", () => {
      streams.delete(stream);
      restsSinceMs = performance.now();
      if (stream.rstCode !== constants.NGHTTP2_NO_ERROR) resets.count();
    });
  });
  let wasWaiting = false;
  let movedBefore = 0;
  const minBytes = (MIN_BYTES_PER_SECOND * stallMs) / 1000;
  const look = setInterval(() => {
    const { socket } = session;
    if (socket === undefined || session.destroyed) return;
    if (streams.size === 0 && performance.now() - restsSinceMs >= IDLE_MS) {
      endSession(session, constants.NGHTTP2_NO_ERROR);
      return;
    }
    const isWaiting = [...streams].some(waitsForClient);
    const moved = socket.bytesRead + socket.bytesWritten - controlFrames * CONTROL_BYTES;
    if (isWaiting && wasWaiting && moved - movedBefore < minBytes) endSession(session);
    wasWaiting = isWaiting;
    movedBefore = moved;
  }, stallMs);
  look.unref();
  session.once("close", () => {
    clearInterval(look);
    clearTimeout(unasked);
  });
}

/** True while the next move is the client's: to read more of an answer, or to send more of a body that somebody reads. */
function waitsForClient(stream: ServerHttp2Stream): boolean {
  if (stream.writableLength > 0) return true;
  return !stream.endAfterHeaders && !stream.readableEnded && stream.readableFlowing === true && !stream.headersSent;
}

/** At once: an orderly end waits for a header block that may never be whole. */
export function endSession(session: ServerHttp2Session, code: number = constants.NGHTTP2_ENHANCE_YOUR_CALM): void {
  if (session.destroyed) return;
  session.goaway(code);
  session.destroy();
}

/** Counts by the window, and ends the session above its limit. */
class Meter {
  private readonly session: ServerHttp2Session;
  private readonly max: number;
  private seen = 0;
  private sinceMs = 0;

  constructor(session: ServerHttp2Session, max: number) {
    this.session = session;
    this.max = max;
  }

  count(): void {
    const nowMs = performance.now();
    if (nowMs - this.sinceMs > WINDOW_MS) {
      this.sinceMs = nowMs;
      this.seen = 0;
    }
    if (++this.seen > this.max) endSession(this.session);
  }
}
