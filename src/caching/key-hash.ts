import { randomBytes } from "node:crypto";

const LINE_BREAK = 10;

/**
 * Hashes keys to 32 bits: HalfSipHash-1-3, each line a message of its own that begins with the state in which the one before
 * it ended. Under a secret of this process: clients choose most of a key, and must not be able to choose where it falls
 * (ATTACKS 44). Characters are taken by their low byte: equal hashes are told apart by the keys themselves.
 */
export class KeyHasher {
  private readonly k0: number;
  private readonly k1: number;
  private v0 = 0;
  private v1 = 0;
  private v2 = 0;
  private v3 = 0;
  /** The first lines of most keys, and the state after them. */
  private firstLines = "";
  private readonly afterFirst = new Int32Array(4);

  constructor(secret: Buffer = randomBytes(8)) {
    this.k0 = secret.readInt32LE(0);
    this.k1 = secret.readInt32LE(4);
    this.start();
    this.remember("");
  }

  hash(key: string): number {
    this.start();
    this.takeLines(key, true);
    return (this.v1 ^ this.v3) >>> 0;
  }

  /**
   * The hash of `${firstLines}${line}\n${nextLine}\n`, without that text: to look at its characters, the runtime would have to
   * put it together first.
   * @param firstLines each with its end
   */
  hashLines(firstLines: string, line: string, nextLine: string): number {
    if (firstLines !== this.firstLines) {
      this.start();
      if (firstLines !== "") this.takeLines(firstLines.slice(0, -1), false);
      this.remember(firstLines);
    }
    const { afterFirst } = this;
    this.v0 = afterFirst[0] as number;
    this.v1 = afterFirst[1] as number;
    this.v2 = afterFirst[2] as number;
    this.v3 = afterFirst[3] as number;
    this.take(line, 0, line.length, false);
    this.take(nextLine, 0, nextLine.length, false);
    this.take("", 0, 0, true);
    return (this.v1 ^ this.v3) >>> 0;
  }

  private start(): void {
    this.v0 = this.k0;
    this.v1 = this.k1;
    this.v2 = 0x6c796765 ^ this.k0;
    this.v3 = 0x74656462 ^ this.k1;
  }

  private remember(firstLines: string): void {
    this.firstLines = firstLines;
    this.afterFirst.set([this.v0, this.v1, this.v2, this.v3]);
  }

  /** @param isAll nothing follows */
  private takeLines(text: string, isAll: boolean): void {
    let from = 0;
    for (let at = 0; at < text.length; at++) {
      if (text.charCodeAt(at) !== LINE_BREAK) continue;
      this.take(text, from, at, false);
      from = at + 1;
    }
    this.take(text, from, text.length, isAll);
  }

  /** One line: a round for each four characters and one for the rest and the length; after the last line, three more. */
  private take(text: string, from: number, to: number, isLast: boolean): void {
    let { v0, v1, v2, v3 } = this;
    const length = to - from;
    const words = length >> 2;
    const last = isLast ? words + 3 : words;
    for (let i = 0; i <= last; i++) {
      const at = from + (i << 2);
      let word = 0;
      if (i < words) {
        word =
          (text.charCodeAt(at) & 255) |
          ((text.charCodeAt(at + 1) & 255) << 8) |
          ((text.charCodeAt(at + 2) & 255) << 16) |
          (text.charCodeAt(at + 3) << 24);
      } else if (i === words) {
        word = length << 24;
        for (let j = at, shift = 0; j < to; j++, shift += 8) word |= (text.charCodeAt(j) & 255) << shift;
      }
      v3 ^= word;
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      v0 ^= word;
      if (isLast && i === words) v2 ^= 255;
    }
    this.v0 = v0;
    this.v1 = v1;
    this.v2 = v2;
    this.v3 = v3;
  }
}

/** The one of this process. */
export const keyHasher = new KeyHasher();

export const hashKey = (key: string): number => keyHasher.hash(key);
