import { deflateRawSync } from "node:zlib";
import { claims, encode, HEAD, nowSeconds, type Signer, sealed } from "./token-signers.ts";

/** Signed as it should be, over a header that it must not have. */
export function* wrongHeaders({
  alg,
  jwk,
  sign: byOwn,
  signAsStranger,
  strangerJwk,
}: Signer): Generator<[string, string]> {
  const head: Record<string, unknown> = jwk === undefined ? { ...HEAD, alg } : { ...HEAD, alg, kid: jwk.kid };
  const extra: readonly object[] = [
    { crit: [] },
    { crit: ["exp"] },
    { crit: ["b64"] },
    { crit: ["alg"] },
    { crit: "exp" },
    { crit: null },
    { crit: {} },
    { crit: ["x"], x: 1 },
    { b64: false },
    { b64: true },
    { b64: false, crit: ["b64"] },
    { b64: "false" },
    { zip: "DEF" },
    { zip: "GZ" },
    { zip: null },
    { enc: "A256GCM" },
    { enc: "none" },
    { typ: "dpop+jwt" },
    { typ: "logout+jwt" },
    { typ: "JWE" },
    { typ: "" },
    { typ: 1 },
    { typ: null },
    { typ: ["JWT"] },
    { kid: 1 },
    { kid: null },
    { kid: [] },
    { kid: {} },
    { kid: true },
  ];
  for (const each of extra) {
    yield [`header ${JSON.stringify(each)}`, sealed({ ...head, ...each }, claims, byOwn)];
  }
  if (jwk !== undefined) {
    const kids = ["", "unknown", `${jwk.kid} `, `${jwk.kid}\u0000`, String(jwk.kid).toUpperCase(), "../../../dev/null"];
    for (const kid of [
      ...kids,
      "__proto__",
      "constructor",
      "' or 1=1 --",
      "key-*",
      "http://127.0.0.1/k",
      "x".repeat(4000),
    ]) {
      yield [`kid ${kid.slice(0, 20)}`, sealed({ ...head, kid }, claims, byOwn)];
    }
    for (const other of ["RS256", "PS256", "ES256", "ES512", "EdDSA"]) {
      if (other !== alg) yield [`kid of ${other}`, sealed({ ...head, kid: `key-${other}` }, claims, byOwn)];
    }
  }
  const carried: Record<string, object> = {
    jwk: { jwk: strangerJwk },
    "jwk and its kid": { jwk: strangerJwk, kid: "mine" },
    jku: { jku: "http://127.0.0.1:1/jwks.json" },
    x5u: { x5u: "http://127.0.0.1:1/key.pem" },
    x5c: { x5c: ["AAAA"] },
    "jku of a file": { jku: "file:///etc/passwd" },
    "jwk that is null": { jwk: null },
    "an oct jwk": { jwk: { kty: "oct", k: "AAAA" } },
  };
  for (const [name, each] of Object.entries(carried)) {
    yield [`signed by the key that the header brings: ${name}`, sealed({ ...head, ...each }, claims, signAsStranger)];
  }
  const text = JSON.stringify(head);
  const texts: Record<string, string | Buffer> = {
    "alg twice": `${text.slice(0, -1)},"alg":"${alg}"}`,
    "alg twice, once as none": `{"alg":"none",${text.slice(1)}`,
    "alg twice, once escaped": `{"\\u0061lg":"none",${text.slice(1)}`,
    "typ twice": `${text.slice(0, -1)},"typ":"JWT"}`,
    "in a list": `[${text}]`,
    "a text": JSON.stringify(text),
    null: "null",
    "a number": "1",
    "cut off": text.slice(0, -1),
    "more after it": `${text}{}`,
    "a comma too many": `${text.slice(0, -1)},}`,
    "single quotes": text.replaceAll('"', "'"),
    "a comment in it": `/**/${text}`,
    "a byte-order mark": `\ufeff${text}`,
    "in UTF-16": Buffer.from(text, "utf16le"),
    "bytes that are not UTF-8": Buffer.concat([
      Buffer.from(text.slice(0, -1)),
      Buffer.from(',"x":"'),
      Buffer.from([0xff]),
      Buffer.from('"}'),
    ]),
    "a NUL after it": `${text}\u0000`,
    deflated: deflateRawSync(text),
    "encoded twice": encode(text),
    deep: `${text.slice(0, -1)},"x":${"[".repeat(3000)}}`,
  };
  for (const [name, each] of Object.entries(texts)) yield [`header: ${name}`, sealed(each, claims, byOwn)];
}

/** The same, over claims that do not hold. */
export function* wrongClaims({ alg, jwk, sign: byOwn }: Signer): Generator<[string, string]> {
  const head = jwk === undefined ? { ...HEAD, alg } : { ...HEAD, alg, kid: jwk.kid };
  const now = nowSeconds();
  const odd = [null, "", "0", String(now + 3600), true, [], [now + 3600], {}, "NaN", "Infinity", "1e10", "0x7fffffff"];
  for (const name of ["exp", "nbf", "iat"]) {
    for (const value of odd)
      yield [`${name} is ${JSON.stringify(value)}`, sealed(head, { ...claims, [name]: value }, byOwn)];
  }
  const wrong: Record<string, object> = {
    "no exp": { exp: undefined },
    "exp now": { exp: now - 1 },
    "exp zero": { exp: 0 },
    "exp before time": { exp: -1 },
    "nbf in an hour": { nbf: now + 3600 },
    "nbf in milliseconds": { nbf: now * 1000 },
    "iat in an hour": { iat: now + 3600 },
    "iat in milliseconds": { iat: now * 1000 },
  };
  for (const [name, each] of Object.entries(wrong)) yield [name, sealed(head, { ...claims, ...each }, byOwn)];
  const text = JSON.stringify(claims);
  const texts: Record<string, string | Buffer> = {
    "sub twice": `${text.slice(0, -1)},"sub":"root"}`,
    "sub twice, once escaped": `{"s\\u0075b":"root",${text.slice(1)}`,
    "exp twice": `{"exp":99999999999,${text.slice(1)}`,
    "exp beyond numbers": text.replace(/"exp":\d+/, '"exp":1e999'),
    "in a list": `[${text}]`,
    "a text": JSON.stringify(text),
    null: "null",
    "a number": "1",
    true: "true",
    "cut off": text.slice(0, -1),
    "more after it": `${text}x`,
    "a byte-order mark": `\ufeff${text}`,
    "in UTF-16": Buffer.from(text, "utf16le"),
    "bytes that are not UTF-8": Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
    deflated: deflateRawSync(text),
    "encoded twice": encode(text),
    "another token": sealed(head, claims, byOwn),
  };
  for (const [name, each] of Object.entries(texts)) yield [`claims: ${name}`, sealed(head, each, byOwn)];
}
