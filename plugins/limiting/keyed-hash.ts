import { randomBytes } from "node:crypto";

/**
 * HalfSipHash-1-3 with 64 bits of output: two unrelated texts share one in 2^64, and as the key is drawn at start a
 * client cannot look for two that do. A limiter keeps these instead of the texts, so a key costs 8 bytes whatever its length.
 * Source: J.-P. Aumasson and D. J. Bernstein, SipHash, 2012.
 */
export class KeyedHash {
  /** The halves of the last {@link of}. */
  low = 0;
  high = 0;
  private readonly k0: number;
  private readonly k1: number;

  constructor(key = randomBytes(8)) {
    this.k0 = key.readInt32LE(0);
    this.k1 = key.readInt32LE(4);
  }

  of(text: string): void {
    const { length } = text;
    let v0 = this.k0;
    let v1 = this.k1 ^ 0xee;
    let v2 = 0x6c796765 ^ this.k0;
    let v3 = 0x74656462 ^ this.k1;
    // One round for each two characters and one for the length; then three rounds for each half of the output.
    const blocks = (length + 1) >> 1;
    const last = blocks + 6;
    for (let round = 0; round <= last; round++) {
      let word = 0;
      if (round < blocks) {
        const i = round << 1;
        word = text.charCodeAt(i);
        if (i + 1 < length) word |= text.charCodeAt(i + 1) << 16;
      } else if (round === blocks) {
        word = length;
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
      if (round === blocks) v2 ^= 0xee;
      if (round === blocks + 3) {
        this.low = v1 ^ v3;
        v1 ^= 0xdd;
      }
    }
    this.high = v1 ^ v3;
  }
}
