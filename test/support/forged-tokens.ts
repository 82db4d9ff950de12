import { wrongClaims, wrongHeaders } from "./forged-texts.ts";
import { claims, encode, HASHES, HEAD, hmac, type Signer, sealed } from "./token-signers.ts";

/** Invalid tokens, each named for what is wrong with it and with nothing else. */
export function* forgeAll(signer: Signer): Generator<[string, string]> {
  yield* wrongSignatures(signer);
  yield* wrongForms(signer.good);
  yield* wrongAlgorithms(signer);
  yield* wrongHeaders(signer);
  yield* wrongClaims(signer);
}

function* wrongSignatures({ alg, good, sign: byOwn, signAsStranger }: Signer): Generator<[string, string]> {
  const [head = "", payload = "", last = ""] = good.split(".");
  const right = Buffer.from(last, "base64url");
  const flipped = (at: number, mask: number): Buffer => {
    const copy = Buffer.from(right);
    copy[at] = (copy[at] as number) ^ mask;
    return copy;
  };
  const half = right.length >> 1;
  const [r, s] = [right.subarray(0, half), right.subarray(half)];
  const [zero, one] = [Buffer.alloc(half), Buffer.alloc(half)];
  one[half - 1] = 1;
  const other = `${head}.${encode({ ...claims, sub: "root" })}`;
  const bytes: Record<string, Buffer> = {
    "first bit changed": flipped(0, 0x80),
    "last bit changed": flipped(right.length - 1, 0x01),
    "a bit in the middle changed": flipped(half, 0x10),
    "a byte short at its end": right.subarray(0, -1),
    "a byte short at its start": right.subarray(1),
    "half of it": r,
    "one byte": Buffer.alloc(1),
    "a zero after": Buffer.concat([right, Buffer.alloc(1)]),
    "a zero before": Buffer.concat([Buffer.alloc(1), right]),
    twice: Buffer.concat([right, right]),
    zeros: Buffer.alloc(right.length),
    "all bits set": Buffer.alloc(right.length, 0xff),
    backwards: Buffer.from(right).reverse(),
    "halves changed places": Buffer.concat([s, r]),
    "r zero": Buffer.concat([zero, s]),
    "s zero": Buffer.concat([r, zero]),
    "r and s one": Buffer.concat([one, one]),
    "8 KiB of it": Buffer.alloc(8192, 1),
    "of another payload": byOwn(other),
    "of the payload alone": byOwn(payload),
    "of nothing": byOwn(""),
    "of the input with a line break": byOwn(`${head}.${payload}\n`),
    "of the decoded payload": byOwn(JSON.stringify(claims)),
    "of somebody else": signAsStranger(`${head}.${payload}`),
    "its text": Buffer.from(last),
  };
  for (const [name, signature] of Object.entries(bytes)) {
    yield [`signature: ${name}`, `${head}.${payload}.${signature.toString("base64url")}`];
  }
  if (alg.startsWith("ES")) yield ["signature: in DER", `${head}.${payload}.${toDer(r, s).toString("base64url")}`];
  yield ["payload changed", `${other}.${last}`];
  yield ["header changed", `${encode({ ...HEAD, alg, more: 1 })}.${payload}.${last}`];
}

/** ECDSA as X.509 has it: a sequence of two integers. */
function toDer(r: Buffer, s: Buffer): Buffer {
  const integer = (bytes: Buffer): Buffer => Buffer.concat([Buffer.from([2, bytes.length + 1, 0]), bytes]);
  const body = Buffer.concat([integer(r), integer(s)]);
  return Buffer.concat([Buffer.from(body.length > 127 ? [0x30, 0x81, body.length] : [0x30, body.length]), body]);
}

function* wrongForms(good: string): Generator<[string, string]> {
  const parts = good.split(".");
  const [head = "", payload = "", last = ""] = parts;
  const forms: Record<string, string> = {
    "no signature": `${head}.${payload}`,
    "an empty signature": `${head}.${payload}.`,
    "no payload": `${head}.${last}`,
    "an empty payload": `${head}..${last}`,
    "no header": `${payload}.${last}`,
    "an empty header": `.${payload}.${last}`,
    "the signature alone": last,
    "dots alone": "..",
    "a fourth part": `${good}.${last}`,
    "a fourth, empty part": `${good}.`,
    "a first, empty part": `.${good}`,
    "five parts": `${head}.${payload}.${last}.${payload}.${last}`,
    "parts in another order": `${payload}.${head}.${last}`,
    "in JSON": JSON.stringify({ payload, protected: head, signature: last }),
    "in JSON, flattened twice": JSON.stringify({ payload, signatures: [{ protected: head, signature: last }] }),
    "in quotes": `"${good}"`,
    "percent-encoded dots": good.replaceAll(".", "%2E"),
    "a line break in it": `${head}.${payload}.\n${last}`,
    "a NUL after it": `${good}\u0000`,
    "a full-width dot": good.replace(".", "\uff0e"),
  };
  for (const [name, token] of Object.entries(forms)) yield [`form: ${name}`, token];
  for (let i = 0; i < 3; i++) {
    const part = parts[i] as string;
    const at = (changed: string): string => parts.map((each, k) => (k === i ? changed : each)).join(".");
    for (const [name, changed] of [
      ["padding", `${part}=`],
      ["padding to four", `${part}==`],
      ["a plus", `${part.slice(0, 4)}+${part.slice(5)}`],
      ["a slash", `${part.slice(0, 4)}/${part.slice(5)}`],
      ["a space in it", `${part.slice(0, 4)} ${part.slice(4)}`],
      ["a hash in it", `${part.slice(0, 4)}#${part.slice(4)}`],
      ["a letter that is none", `${part.slice(0, 4)}\u00e9${part.slice(4)}`],
      ["one letter more", `${part}A`],
      ["bits that decoding drops", withSpareBits(part)],
    ] as const) {
      if (changed !== part) yield [`part ${i}: ${name}`, at(changed)];
    }
  }
}

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** The same bytes, written another way; as it is where no bits are spare. */
function withSpareBits(part: string): string {
  if (part.length % 4 === 0) return part;
  return part.slice(0, -1) + LETTERS.charAt(LETTERS.indexOf(part.slice(-1)) + 1);
}

const ALGORITHMS = ["HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];
const MORE = ["ES256", "ES384", "ES512", "ES256K", "EdDSA", "Ed25519", "RSA1_5", "dir", "A128KW", "HS1", "RS1", "ES1"];

function* wrongAlgorithms(signer: Signer): Generator<[string, string]> {
  const { alg: own, jwk, sign: byOwn, known } = signer;
  const head = jwk === undefined ? HEAD : { ...HEAD, kid: jwk.kid };
  for (const alg of [...ALGORITHMS, ...MORE]) {
    if (alg === own) continue;
    yield [`alg ${alg}: signed as ${own}`, sealed({ ...head, alg }, claims, byOwn)];
  }
  for (const alg of [
    "none",
    "None",
    "NONE",
    "nOnE",
    "none ",
    "",
    " ",
    own.toLowerCase(),
    `${own} `,
    `${own}\u0000`,
    "\u0131",
  ]) {
    if (alg === own) continue;
    for (const kept of [head, HEAD]) {
      const input = `${encode({ ...kept, alg })}.${encode(claims)}`;
      yield [`alg ${JSON.stringify(alg)}: unsigned`, `${input}.`];
      yield [`alg ${JSON.stringify(alg)}: signed all the same`, sealed({ ...kept, alg }, claims, byOwn)];
    }
  }
  for (const alg of [undefined, null, 0, 1, true, [own], { [own]: own }, [], "__proto__", "constructor", "toString"]) {
    yield [`alg is ${JSON.stringify(alg)}`, sealed({ ...head, alg }, claims, byOwn)];
  }
  for (const [at, secret] of known.entries()) {
    for (const bits of Object.keys(HASHES)) {
      for (const kept of [head, HEAD]) {
        const name = `HS${bits} with what everybody knows, ${at}${kept === HEAD ? ", no kid" : ""}`;
        yield [name, sealed({ ...kept, alg: `HS${bits}` }, claims, (input) => hmac(bits, secret, input))];
      }
    }
  }
}
