import type { ByteSet } from "./byte-set.ts";
import { TextReader } from "./byte-text.ts";
import { Word } from "./byte-word.ts";

const ZERO = 0x30;
const NINE = 0x39;
const POWERS = Array.from({ length: 16 }, (_, i) => 10 ** i);
/** So many digits make a number that a double holds exactly. */
const MAX_DIGITS = 15;
/** Nesting that is taken, of values and of schemas about one value. */
const MAX_DEPTH = 512;
/** Every byte may be looked at so often by the branches of an `anyOf`: nested ones would double the work with each level. */
const LOOKS = 8;
const LEAST_LOOKS = 1024;

const NULL = new Word("null");
const TRUE = new Word("true");
const FALSE = new Word("false");

/** A scan over JSON. What it does not understand, it does not accept: somebody slower looks again. */
export class ByteReader extends TextReader {
  depth = 0;
  /** The number that {@link readNumber} has read. */
  number = 0;
  /** It is whole, and so long that {@link number} is only close to it. */
  isRounded = false;
  /** Something was not accepted because a scan cannot tell, not because it is invalid. */
  isUnsure = false;
  private looks = 0;
  private roundedFrom = 0;

  constructor(capacity: number) {
    super(capacity, MAX_DEPTH + 1);
  }

  override load(source: Buffer): void {
    super.load(source);
    this.looks = source.length * LOOKS + LEAST_LOOKS;
    this.depth = 0;
    this.isUnsure = false;
  }

  /** @returns false, so that a check can end with it */
  giveUp(): false {
    this.isUnsure = true;
    return false;
  }

  /** @returns false when it is too deep */
  enter(): boolean {
    return ++this.depth <= MAX_DEPTH || this.giveUp();
  }

  /** Back to the start of a value, which another schema looks at. @returns false when that was done too often */
  rewind(at: number, depth: number): boolean {
    this.looks -= this.at - at + 1;
    this.at = at;
    this.depth = depth;
    return this.looks >= 0 || this.giveUp();
  }

  takeNull(): boolean {
    return this.takeWord(NULL);
  }

  takeTrue(): boolean {
    return this.takeWord(TRUE);
  }

  takeFalse(): boolean {
    return this.takeWord(FALSE);
  }

  /** @see addNameAt */
  addName(count: number): boolean {
    return this.addNameAt(this.depth, count) || this.giveUp();
  }

  /** Likewise, of many. */
  addNameTo(names: ByteSet): boolean {
    return this.addLastTo(names) || this.giveUp();
  }

  /** The names noted for the object around, once there are too many to compare each with each. */
  takeNames(count: number): ByteSet | undefined {
    return this.takeNamesAt(this.depth, count);
  }

  readNumber(): boolean {
    const { bytes } = this;
    this.isRounded = false;
    const isNegative = this.next() === 0x2d;
    const from = this.at;
    const start = isNegative ? from + 1 : from;
    let i = start;
    let value = 0;
    let byte = bytes[i] as number;
    for (; byte >= ZERO && byte <= NINE; byte = bytes[++i] as number) value = value * 10 + (byte - ZERO);
    const whole = i - start;
    if (whole === 0 || (whole > 1 && bytes[start] === ZERO)) return false;
    let digits = 0;
    if (byte === 0x2e) {
      const point = i;
      for (byte = bytes[++i] as number; byte >= ZERO && byte <= NINE; byte = bytes[++i] as number)
        value = value * 10 + (byte - ZERO);
      digits = i - point - 1;
      if (digits === 0) return false;
    }
    if (whole + digits > MAX_DIGITS || byte === 0x65 || byte === 0x45) return this.readLong(from, i, digits > 0);
    // Both are exact, so the quotient is the double next to what is written.
    if (digits > 0) value /= POWERS[digits] as number;
    this.at = i;
    this.number = isNegative ? -value : value;
    return true;
  }

  /** The number that was read last, where it is rounded. */
  exactNumber(): bigint {
    return BigInt(this.bytes.toString("latin1", this.roundedFrom, this.at));
  }

  /** A number of many digits or with an exponent. @param end where its exponent would stand */
  private readLong(from: number, end: number, hasFraction: boolean): boolean {
    const { bytes } = this;
    let i = end;
    if (((bytes[i] as number) | 0x20) === 0x65) {
      i++;
      if (bytes[i] === 0x2b || bytes[i] === 0x2d) i++;
      const start = i;
      while ((bytes[i] as number) >= ZERO && (bytes[i] as number) <= NINE) i++;
      if (i === start) return false;
    }
    const value = Number(bytes.toString("latin1", from, i));
    // Beyond that a double may have rounded it.
    if (!(Math.abs(value) <= Number.MAX_SAFE_INTEGER)) {
      if (hasFraction || i > end || !Number.isFinite(value)) return this.giveUp();
      this.isRounded = true;
      this.roundedFrom = from;
    }
    this.at = i;
    this.number = value;
    return true;
  }
}
