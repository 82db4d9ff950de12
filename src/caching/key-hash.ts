import { randomBytes } from "node:crypto";

/** Hashes keys to 32 bits. */
export type KeyHash = (key: string) => number;

/**
 * HalfSipHash-1-3 under a secret of this process: clients choose most of a key, and must not be able to choose where it
 * falls (ATTACKS 44). Characters are taken by their low byte: equal hashes are told apart by the keys themselves.
 */
export function createKeyHash(secret: Buffer = randomBytes(8)): KeyHash {
  const k0 = secret.readInt32LE(0);
  const k1 = secret.readInt32LE(4);
  return function hashKey(key) {
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
    return (v1 ^ v3) >>> 0;
  };
}

/** The one of this process. */
export const hashKey = createKeyHash();
