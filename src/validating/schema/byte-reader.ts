const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const ZERO = 0x30;
const POWERS = Array.from({ length: 16 }, (_, i) => 10 ** i);
/** So many digits make a number that a double holds exactly. */
const MAX_DIGITS = 15;

/** Where a scan over JSON stands. What it does not understand, it does not accept: somebody slower looks again. */
export class ByteReader {
  readonly bytes: Buffer;
  at = 0;
  depth = 0;
  /** The number that {@link readNumber} has read. */
  number = 0;
  isWhole = true;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  /** The next byte that is no white space; 0 at the end. */
  next(): number {
    const { bytes } = this;
    for (; this.at < bytes.length; this.at++) {
      const byte = bytes[this.at] as number;
      if (byte > 0x20) return byte;
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return 1;
    }
    return 0;
  }

  take(byte: number): boolean {
    if (this.next() !== byte) return false;
    this.at++;
    return true;
  }

  takeWord(word: string): boolean {
    const end = this.at + word.length;
    if (this.bytes.toString("latin1", this.at, end) !== word) return false;
    this.at = end;
    return true;
  }

  /** Skips a text without escapes, from its quote on. @returns its length; −1 for anything else */
  skipText(): number {
    const { bytes } = this;
    if (this.next() !== QUOTE) return -1;
    const start = this.at + 1;
    for (let i = start; i < bytes.length; i++) {
      const byte = bytes[i] as number;
      if (byte === QUOTE) {
        this.at = i + 1;
        return i - start;
      }
      if (byte === BACKSLASH || byte < 0x20) return -1;
    }
    return -1;
  }

  /** Reads a number without exponent and of few digits. */
  readNumber(): boolean {
    const { bytes } = this;
    const isNegative = this.next() === 0x2d;
    if (isNegative) this.at++;
    const start = this.at;
    let value = this.readDigits(0);
    const whole = this.at - start;
    if (whole === 0 || whole > MAX_DIGITS || (whole > 1 && bytes[start] === ZERO)) return false;
    this.isWhole = bytes[this.at] !== 0x2e;
    if (!this.isWhole) {
      const point = this.at++;
      value = this.readDigits(value);
      const digits = this.at - point - 1;
      if (digits === 0 || whole + digits > MAX_DIGITS) return false;
      // Both are exact, so the quotient is the double next to what is written.
      value /= POWERS[digits] as number;
    }
    const after = bytes[this.at];
    if (after === 0x65 || after === 0x45) return false;
    this.number = isNegative ? -value : value;
    return true;
  }

  private readDigits(before: number): number {
    const { bytes } = this;
    let value = before;
    for (let digit = (bytes[this.at] ?? 0) - ZERO; digit >= 0 && digit <= 9; digit = (bytes[this.at] ?? 0) - ZERO) {
      value = value * 10 + digit;
      this.at++;
    }
    return value;
  }
}
