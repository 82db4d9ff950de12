const SIZE = 65_536;
/** Of a read: from here on its buffer is handed on, below it is copied out of. */
const HANDED_ON = 16_384;

/**
 * What a connection reads into. Between streams that is one buffer for all connections of the gateway, as each read is
 * dealt with before the next; a stream reads into buffers of its own, which it hands on without a copy.
 */
export class ReadBuffer {
  isPaused = false;
  private readonly shared: Buffer;
  private current: Buffer;
  private isTaken = false;
  private isLent = false;
  private lent: Buffer | undefined = undefined;
  private spare: Buffer | undefined = undefined;

  constructor(shared: Buffer) {
    this.shared = shared;
    this.current = shared;
  }

  static createShared = (): Buffer => Buffer.allocUnsafeSlow(SIZE);

  /** Bytes that outlive this read. */
  take(buffer: Buffer, from: number, to: number): Buffer {
    if (buffer === this.shared || to - from < HANDED_ON) return Buffer.from(buffer.subarray(from, to));
    this.isTaken = true;
    return buffer.subarray(from, to);
  }

  /** The bytes of this read stay where they are until they have left. */
  lend(): void {
    this.isLent = true;
  }

  /** What was lent has left: its memory is used again, as a garbage collection goes through all that Portico holds. */
  takeBack(): void {
    this.spare = this.lent ?? this.spare;
    this.lent = undefined;
  }

  isShared(buffer: Buffer): boolean {
    return buffer === this.shared;
  }

  /** Where the next read goes. */
  next(isStreaming: boolean): Buffer {
    if (!isStreaming) {
      this.current = this.shared;
      this.lent = undefined;
      this.spare = undefined;
    } else if (this.isTaken || this.isLent || this.current === this.shared) {
      this.lent = this.isLent && !this.isTaken ? this.current : undefined;
      this.current = this.spare ?? Buffer.allocUnsafeSlow(SIZE);
      this.spare = undefined;
    }
    this.isTaken = false;
    this.isLent = false;
    return this.current;
  }
}
