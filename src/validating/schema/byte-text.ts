import { isUtf8 } from "node:buffer";
import { ByteNames } from "./byte-names.ts";
import type { BytePattern } from "./byte-pattern.ts";
import { ByteSet } from "./byte-set.ts";
import type { Word } from "./byte-word.ts";

const QUOTE = 0x22;
const ZERO = 0x30;
const NINE = 0x39;
const BACKSLASH = 0x5c;
/** Zeros after the text: its end is found without comparing lengths, and four bytes can be read from its last one. */
const PADDING = 8;
/** What may follow a backslash, but `u`. */
const ESCAPED = new Set([...'"\\/bfnrt'].map((character) => character.charCodeAt(0)));

/** Where a scan over JSON stands, and the texts that it meets. */
export class TextReader {
  at = 0;
  /** Of the text that was skipped last. */
  hasEscapes = false;
  protected readonly bytes: Buffer;
  protected length = 0;
  private readonly view: DataView;
  private readonly names: ByteNames;
  private isKnownUtf8 = false;
  private textStart = 0;
  private textEnd = 0;
  private isPlainText = true;

  /** @param levels most levels of nesting */
  constructor(capacity: number, levels: number) {
    this.bytes = Buffer.allocUnsafeSlow(capacity + PADDING);
    this.view = new DataView(this.bytes.buffer);
    this.names = new ByteNames(this.bytes, levels);
  }

  /** Copied: what is read from one place, with zeros behind it, is read twice as fast. */
  load(source: Buffer): void {
    const { length } = source;
    this.bytes.set(source);
    this.view.setInt32(length, 0);
    this.view.setInt32(length + 4, 0);
    this.length = length;
    this.at = 0;
    this.isKnownUtf8 = false;
  }

  get isAtEnd(): boolean {
    return this.next() === 0 && this.at === this.length;
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

  /** Skips a text. @returns its length in characters; −1 for what is none, or cannot be read */
  skipText(): number {
    if (this.next() !== QUOTE) return -1;
    const { bytes } = this;
    const start = this.at + 1;
    let i = this.skipPlain(start);
    for (; ; i++) {
      const byte = bytes[i] as number;
      if (byte === QUOTE) break;
      if (byte < 0x20 || byte === BACKSLASH || byte >= 0x80) return this.skipRest(start, i);
    }
    this.textStart = start;
    this.textEnd = i;
    this.isPlainText = true;
    this.hasEscapes = false;
    this.at = i + 1;
    return i - start;
  }

  /** The text that {@link skipText} has skipped last. */
  lastText(): string {
    const { bytes, textStart, textEnd } = this;
    if (this.isPlainText) return bytes.toString("latin1", textStart, textEnd);
    if (!this.hasEscapes) return bytes.toString("utf8", textStart, textEnd);
    return JSON.parse(bytes.toString("utf8", textStart - 1, textEnd + 1)) as string;
  }

  createSet(): ByteSet {
    return new ByteSet(this.bytes);
  }

  /** True where a pattern surely takes the text that was skipped last. */
  lastTextFits(pattern: BytePattern): boolean {
    return this.isPlainText && pattern.accepts(this.bytes, this.textStart, this.textEnd);
  }

  /**
   * Notes the text that was skipped last as a name of the object around it.
   * @param count of names noted on that level before
   * @returns false when it is one of them, or has escapes: a parser tells those sooner
   */
  protected addNameAt(level: number, count: number): boolean {
    return !this.hasEscapes && this.names.add(level, count, this.textStart, this.textEnd);
  }

  protected takeNamesAt(level: number, count: number): ByteSet | undefined {
    return this.names.take(level, count);
  }

  protected addLastTo(set: ByteSet): boolean {
    return !this.hasEscapes && set.add(this.textStart, this.textEnd);
  }

  /** Four at a time while none is a quote, a backslash, a control character or beyond ASCII: each sets one of the high bits. */
  private skipPlain(from: number): number {
    const { view } = this;
    for (let i = from; ; i += 4) {
      const four = view.getInt32(i, true);
      const found =
        four | (four - 0x20202020) | ((four ^ 0x22222222) - 0x01010101) | ((four ^ 0x5c5c5c5c) - 0x01010101);
      if ((found & 0x80808080) !== 0) return i;
    }
  }

  /** The rest of a text that has escapes or characters beyond ASCII. */
  private skipRest(start: number, from: number): number {
    const { bytes } = this;
    let i = from;
    let characters = from - start;
    this.hasEscapes = false;
    for (let byte = bytes[i] as number; byte !== QUOTE; byte = bytes[i] as number) {
      if (byte >= 0x80) {
        if (!this.isUtf8()) return -1;
        // All bytes of a character but its first one look so.
        if ((byte & 0xc0) !== 0x80) characters++;
        i++;
      } else if (byte === BACKSLASH) {
        const size = this.escapeSize(i);
        if (size < 0) return -1;
        this.hasEscapes = true;
        characters++;
        i += size;
      } else {
        if (byte < 0x20) return -1;
        const end = this.skipPlain(i + 1);
        characters += end - i;
        i = end;
      }
    }
    this.textStart = start;
    this.textEnd = i;
    this.isPlainText = false;
    this.at = i + 1;
    return characters;
  }

  private isUtf8(): boolean {
    this.isKnownUtf8 ||= isUtf8(this.bytes.subarray(0, this.length));
    return this.isKnownUtf8;
  }

  /** Bytes of one escaped character. @returns −1 for none, and for half of a surrogate pair */
  private escapeSize(at: number): number {
    if (ESCAPED.has(this.bytes[at + 1] as number)) return 2;
    const unit = this.escapedUnit(at);
    if (unit < 0xd800 || unit > 0xdfff) return unit < 0 ? -1 : 6;
    const low = unit > 0xdbff ? -1 : this.escapedUnit(at + 6);
    return low >= 0xdc00 && low <= 0xdfff ? 12 : -1;
  }

  /** What stands as `\u…`; −1 for anything else. */
  private escapedUnit(at: number): number {
    const { bytes } = this;
    if (bytes[at] !== BACKSLASH || bytes[at + 1] !== 0x75) return -1;
    let unit = 0;
    for (let i = at + 2; i < at + 6; i++) {
      const byte = bytes[i] as number;
      const lower = byte | 0x20;
      if (byte >= ZERO && byte <= NINE) unit = unit * 16 + byte - ZERO;
      else if (lower >= 0x61 && lower <= 0x66) unit = unit * 16 + lower - 0x57;
      else return -1;
    }
    return unit;
  }
}
