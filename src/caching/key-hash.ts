import { randomBytes } from "node:crypto";

/** Hashes keys to 32 bits, each time differently. */
export type KeyHash = (key: string) => number;

/** So many keys are remembered with their hashes: each is asked for again once its answer has come. */
const REMEMBERED = 256;
const MAX_REMEMBERED_CHARACTERS = 512;

/**
 * HalfSipHash-1-3 under a secret of this process: clients choose most of a key, and must not be able to choose where it
 * falls (ATTACKS 44). Characters are taken by their low byte: equal hashes are told apart by the keys themselves.
 */
export function createKeyHash(secret: Buffer = randomBytes(8)): KeyHash {
  const k0 = secret.readInt32LE(0);
  const k1 = secret.readInt32LE(4);
  const keys = new Array<string>(REMEMBERED).fill("");
  const ends = new Int32Array(REMEMBERED);
  const hashes = new Uint32Array(REMEMBERED);
  return function hashKey(key) {
    // Keys mostly differ in their last characters: only of those that do not is all compared.
    const end = endOf(key);
    const place = (end ^ (end >> 8) ^ (end >> 16)) & (REMEMBERED - 1);
    if (ends[place] === end && keys[place] === key && key !== "") return hashes[place] as number;
    let v0 = k0;
    let v1 = k1;
    let v2 = 0x6c796765 ^ k0;
    let v3 = 0x74656462 ^ k1;
    const words = key.length >> 2;
    for (let i = 0; i <= words + 2; i++) {
      let word = 0;
      if (i < words) {
        const at = i << 2;
        word =
          (key.charCodeAt(at) & 255) |
          ((key.charCodeAt(at + 1) & 255) << 8) |
          ((key.charCodeAt(at + 2) & 255) << 16) |
          (key.charCodeAt(at + 3) << 24);
      } else if (i === words) {
        word = key.length << 24;
        for (let at = words << 2, shift = 0; at < key.length; at++, shift += 8) {
          word |= (key.charCodeAt(at) & 255) << shift;
        }
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
      if (i === words) v2 ^= 255;
    }
    const hash = (v1 ^ v3) >>> 0;
    if (key.length <= MAX_REMEMBERED_CHARACTERS) {
      keys[place] = key;
      ends[place] = end;
      hashes[place] = hash;
    }
    return hash;
  };
}

/** Of a key's last four characters, but for the line break that ends most keys. */
function endOf(key: string): number {
  const at = key.length - 5;
  return (
    key.charCodeAt(at) ^ (key.charCodeAt(at + 1) << 8) ^ (key.charCodeAt(at + 2) << 16) ^ (key.charCodeAt(at + 3) << 24)
  );
}
