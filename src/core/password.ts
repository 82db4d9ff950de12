import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { Argon2, type Argon2Parameters } from "./argon2.ts";

/** A hash of a password, with what it takes to make it again. */
export type PasswordHash = { readonly hash: Buffer } & (ScryptParameters | Argon2Parameters);

interface ScryptParameters {
  readonly kind: "scrypt";
  readonly cost: number;
  readonly blockSize: number;
  readonly parallelism: number;
  readonly salt: Buffer;
}

/** 32 MiB and some 50 ms for each guess (OWASP's password storage cheat sheet). */
const LOG_COST = 15;
const ENCODED = "\\$([A-Za-z0-9+/]{11,})=*\\$([A-Za-z0-9+/]{22,})=*$";
const SCRYPT = new RegExp(`^\\$scrypt\\$ln=(\\d{1,2}),r=(\\d{1,2}),p=(\\d{1,2})${ENCODED}`);
const ARGON2 = new RegExp(`^\\$(argon2id|argon2i|argon2d)\\$v=19\\$m=(\\d{1,7}),t=(\\d{1,2}),p=(\\d{1,2})${ENCODED}`);
/** A hash is made again for each guess: what asks for more than 256 MiB would bring the gateway down. */
const MAX_MEMORY_KIB = 262_144;

/** @throws Error with the forms that are wanted; a password in clear text has none of them */
export function parsePasswordHash(text: string): PasswordHash {
  const argon2 = ARGON2.exec(text);
  if (argon2 !== null) return toArgon2(argon2);
  const match = SCRYPT.exec(text);
  if (match === null) {
    throw new Error("a password is neither a scrypt hash nor an argon2 one; `portico hash-password` prints one");
  }
  const [ln, r, p] = match.slice(1, 4).map(Number) as [number, number, number];
  if (ln < 10 || ln > 20 || r < 1 || p < 1) throw new Error("a scrypt hash needs ln from 10 to 20, r and p from 1");
  return { kind: "scrypt", cost: 2 ** ln, blockSize: r, parallelism: p, ...decode(match[4], match[5]) };
}

function toArgon2([, kind, m, t, p, salt, hash]: RegExpExecArray): PasswordHash {
  const [memoryKiB, passes, parallelism] = [Number(m), Number(t), Number(p)];
  const isBounded = memoryKiB <= MAX_MEMORY_KIB && passes >= 1 && passes <= 16 && parallelism >= 1 && parallelism <= 16;
  if (!isBounded || memoryKiB < 8 * parallelism) {
    throw new Error("an argon2 hash needs m from 8·p to 262144 KiB, t and p from 1 to 16");
  }
  return { kind: kind as Argon2Parameters["kind"], memoryKiB, passes, parallelism, ...decode(salt, hash) };
}

const decode = (salt = "", hash = ""): { salt: Buffer; hash: Buffer } => ({
  salt: Buffer.from(salt, "base64"),
  hash: Buffer.from(hash, "base64"),
});

export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const made = await deriveScrypt(
    password,
    { kind: "scrypt", cost: 2 ** LOG_COST, blockSize: 8, parallelism: 1, salt },
    32,
  );
  const encode = (bytes: Buffer): string => bytes.toString("base64").replace(/=+$/, "");
  return `$scrypt$ln=${LOG_COST},r=8,p=1$${encode(salt)}$${encode(made)}`;
}

const argon2 = new Argon2();

export async function verifyPassword(password: string, known: PasswordHash): Promise<boolean> {
  const { length } = known.hash;
  const made =
    known.kind === "scrypt"
      ? await deriveScrypt(password, known, length)
      : // The library takes no empty password; nobody has one, and finding out takes as long as for any other.
        await argon2.derive(password.normalize("NFC") || "-", known, length);
  return timingSafeEqual(made, known.hash) && password !== "";
}

const deriveScrypt = (password: string, from: ScryptParameters, length: number): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const { cost: N, blockSize: r, parallelism: p, salt } = from;
    scrypt(password.normalize("NFC"), salt, length, { N, r, p, maxmem: 256 * N * r }, (error, made) => {
      if (error === null) resolve(made);
      else reject(error);
    });
  });
