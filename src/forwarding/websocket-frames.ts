/** Close codes of RFC 6455 §7.4.1 that the gateway gives. */
export const CLOSE = { goingAway: 1001, protocolError: 1002, policy: 1008, tooBig: 1009 } as const;

/** Of a frame's first byte: meaningless but where an extension has been agreed on. */
const RESERVED = 0x70;
/** Pings, pongs and closes in one second; more is a flood. */
const MAX_CONTROL_FRAMES_PER_SECOND = 100;

/**
 * Follows the frames of one direction without keeping them: where one ends, so that a close can be put between two,
 * and whether they stay within their limits (RFC 6455 §5.2).
 */
export class FrameScanner {
  private readonly isMasked: boolean;
  private readonly maxMessageBytes: number;
  private readonly header = Buffer.alloc(14);
  private headerLength = 0;
  private payloadLeft = 0;
  private messageBytes = 0;
  /** A message has begun, and its last frame has not come. */
  private isInMessage = false;
  private wasBetweenFrames: boolean | undefined = undefined;
  private reservedBits = RESERVED;
  private controlFrames = 0;
  private controlSinceMs = 0;

  /** @param isMasked as all frames of a client must be, and none of a server */
  constructor(isMasked: boolean, maxMessageBytes: number) {
    this.isMasked = isMasked;
    this.maxMessageBytes = maxMessageBytes;
  }

  /** An extension has been agreed on, and says what they mean. */
  allowReservedBits(): void {
    this.reservedBits = 0;
  }

  /** True where a frame of ours may stand behind what was passed on: a chunk that was found fault with is not. */
  get isBetweenFrames(): boolean {
    return this.wasBetweenFrames ?? (this.headerLength === 0 && this.payloadLeft === 0);
  }

  /** @returns the code to close with, or 0 while all is well */
  scan(chunk: Buffer): number {
    const isBetweenFrames = this.isBetweenFrames;
    let i = 0;
    while (i < chunk.length) {
      if (this.payloadLeft > 0) {
        const taken = Math.min(this.payloadLeft, chunk.length - i);
        this.payloadLeft -= taken;
        i += taken;
        continue;
      }
      this.header[this.headerLength++] = chunk[i++] as number;
      if (this.headerLength < 2 || this.headerLength < this.headerSize()) continue;
      const code = this.judge();
      if (code !== 0) {
        this.wasBetweenFrames = isBetweenFrames;
        return code;
      }
      this.headerLength = 0;
    }
    return 0;
  }

  private headerSize(): number {
    const short = this.byte(1) & 0x7f;
    return 2 + (short === 126 ? 2 : short === 127 ? 8 : 0) + (this.byte(1) & 0x80 ? 4 : 0);
  }

  private judge(): number {
    const first = this.byte(0);
    const opcode = first & 0x0f;
    const isFinal = (first & 0x80) !== 0;
    const length = this.payloadLength();
    if (((this.byte(1) & 0x80) !== 0) !== this.isMasked || (first & this.reservedBits) !== 0)
      return CLOSE.protocolError;
    if (opcode > 0xa || (opcode > 2 && opcode < 8)) return CLOSE.protocolError;
    if (opcode >= 8) {
      if (!isFinal || length > 125) return CLOSE.protocolError;
      if (this.isFlood()) return CLOSE.policy;
    } else {
      // Otherwise each frame could call itself a beginning, and none would count towards a message.
      if ((opcode === 0) !== this.isInMessage) return CLOSE.protocolError;
      this.messageBytes += length;
      if (this.messageBytes > this.maxMessageBytes) return CLOSE.tooBig;
      this.isInMessage = !isFinal;
      if (isFinal) this.messageBytes = 0;
    }
    this.payloadLeft = length;
    return 0;
  }

  private payloadLength(): number {
    const short = this.byte(1) & 0x7f;
    if (short === 126) return this.header.readUInt16BE(2);
    if (short === 127) return Number(this.header.readBigUInt64BE(2));
    return short;
  }

  private isFlood(): boolean {
    const nowMs = performance.now();
    if (nowMs - this.controlSinceMs > 1000) {
      this.controlSinceMs = nowMs;
      this.controlFrames = 0;
    }
    return ++this.controlFrames > MAX_CONTROL_FRAMES_PER_SECOND;
  }

  private byte(i: number): number {
    return this.header[i] as number;
  }
}

/** A close frame. @param isMasked with a key of zeros: what is hidden by a mask is not the point here */
export function closeFrame(code: number, isMasked: boolean): Buffer {
  const payload = Buffer.from([code >> 8, code & 0xff]);
  return Buffer.concat([Buffer.from([0x88, isMasked ? 0x82 : 0x02]), Buffer.alloc(isMasked ? 4 : 0), payload]);
}
