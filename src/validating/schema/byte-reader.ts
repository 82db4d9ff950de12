const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const ZERO = 0x30;
const POWERS = Array.from({ length: 16 }, (_, i) => 10 ** i);
/** So many digits make a number that a double holds exactly. */
const MAX_DIGITS = 15;
/** Zeros after the text: its end is found without comparing lengths, and four bytes can be read from its last one. */
const PADDING = 8;

/** A text that is looked for, four bytes at a time. At least four bytes of ASCII. */
export class Word {
  readonly length: number;
  readonly words: Int32Array;

  /** @param text at least four characters, without a NUL */
  constructor(text: string) {
    const bytes = Buffer.from(text, "latin1");
    this.length = bytes.length;
    this.words = new Int32Array((bytes.length + 3) >> 2);
    // The last four overlap those before.
    for (let i = 0; i < this.words.length; i++) this.words[i] = bytes.readInt32LE(Math.min(i << 2, bytes.length - 4));
  }
}

const NULL = new Word("null");
const TRUE = new Word("true");
const FALSE = new Word("false");

/** Where a scan over JSON stands. What it does not understand, it does not accept: somebody slower looks again. */
export class ByteReader {
  at = 0;
  depth = 0;
  /** The number that {@link readNumber} has read. */
  number = 0;
  isWhole = true;
  private readonly bytes: Buffer;
  private readonly view: DataView;

  constructor(capacity: number) {
    this.bytes = Buffer.allocUnsafeSlow(capacity + PADDING);
    this.view = new DataView(this.bytes.buffer);
  }

  /** Copied: what is read from one place, with zeros behind it, is read twice as fast. */
  load(source: Buffer): void {
    this.bytes.set(source);
    this.view.setInt32(source.length, 0);
    this.view.setInt32(source.length + 4, 0);
    this.at = 0;
    this.depth = 0;
  }

  /** The next byte that is no white space; 0 at the end. */
  next(): number {
    const { bytes } = this;
    let byte = bytes[this.at] as number;
    while (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) byte = bytes[++this.at] as number;
    return byte;
  }

  take(byte: number): boolean {
    if (this.next() !== byte) return false;
    this.at++;
    return true;
  }

  takeWord({ words, length }: Word): boolean {
    const { view, at } = this;
    const last = length - 4;
    for (let i = 0, from = 0; from < last; i++, from += 4) {
      if (view.getInt32(at + from, true) !== words[i]) return false;
    }
    if (view.getInt32(at + last, true) !== words[words.length - 1]) return false;
    this.at = at + length;
    return true;
  }

  takeNull(): boolean {
    return this.takeWord(NULL);
  }

  takeBoolean(): boolean {
    return this.takeWord(this.next() === 0x74 ? TRUE : FALSE);
  }

  /** Skips a text of ASCII without escapes, from its quote on. @returns its length; −1 for anything else */
  skipText(): number {
    if (this.next() !== QUOTE) return -1;
    const { bytes, view } = this;
    const start = this.at + 1;
    let i = start;
    // Four at a time while none is a quote, a backslash, a control character or beyond ASCII: each sets one of the high bits.
    for (;;) {
      const four = view.getInt32(i, true);
      const found =
        four | (four - 0x20202020) | ((four ^ 0x22222222) - 0x01010101) | ((four ^ 0x5c5c5c5c) - 0x01010101);
      if ((found & 0x80808080) !== 0) break;
      i += 4;
    }
    for (; ; i++) {
      const byte = bytes[i] as number;
      if (byte === QUOTE) break;
      if (byte < 0x20 || byte === BACKSLASH || byte >= 0x80) return -1;
    }
    this.at = i + 1;
    return i - start;
  }

  /** The text of which {@link skipText} has said the length. */
  lastText(length: number): string {
    return this.bytes.toString("latin1", this.at - 1 - length, this.at - 1);
  }

  /** Reads a number without exponent and of few digits. */
  readNumber(): boolean {
    const { bytes } = this;
    const isNegative = this.next() === 0x2d;
    if (isNegative) this.at++;
    const start = this.at;
    let i = start;
    let value = 0;
    let byte = bytes[i] as number;
    for (; byte >= ZERO && byte <= 0x39; byte = bytes[++i] as number) value = value * 10 + (byte - ZERO);
    const whole = i - start;
    if (whole === 0 || whole > MAX_DIGITS || (whole > 1 && bytes[start] === ZERO)) return false;
    this.isWhole = byte !== 0x2e;
    if (!this.isWhole) {
      const point = i;
      for (byte = bytes[++i] as number; byte >= ZERO && byte <= 0x39; byte = bytes[++i] as number)
        value = value * 10 + (byte - ZERO);
      const digits = i - point - 1;
      if (digits === 0 || whole + digits > MAX_DIGITS) return false;
      // Both are exact, so the quotient is the double next to what is written.
      value /= POWERS[digits] as number;
    }
    if (byte === 0x65 || byte === 0x45) return false;
    this.at = i;
    this.number = isNegative ? -value : value;
    return true;
  }
}
