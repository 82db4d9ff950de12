import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";

/** A hash of a password, with what it takes to make it again. */
export interface PasswordHash {
  readonly cost: number;
  readonly blockSize: number;
  readonly parallelism: number;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

/** 32 MiB and some 50 ms for each guess (OWASP's password storage cheat sheet). */
const LOG_COST = 15;
const FORM = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{16,})=*\$([A-Za-z0-9+/]{22,})=*$/;

/** @throws Error with the form that is wanted; a password in clear text has another */
export function parsePasswordHash(text: string): PasswordHash {
  const match = FORM.exec(text);
  if (match === null) throw new Error("a password is not a scrypt hash; `portico hash-password` prints one");
  const [ln, r, p] = match.slice(1, 4).map(Number) as [number, number, number];
  if (ln < 10 || ln > 20 || r < 1 || p < 1) throw new Error("a scrypt hash needs ln from 10 to 20, r and p from 1");
  return {
    cost: 2 ** ln,
    blockSize: r,
    parallelism: p,
    salt: Buffer.from(match[4] as string, "base64"),
    hash: Buffer.from(match[5] as string, "base64"),
  };
}

export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const made = await derive(password, { cost: 2 ** LOG_COST, blockSize: 8, parallelism: 1, salt }, 32);
  const encode = (bytes: Buffer): string => bytes.toString("base64").replace(/=+$/, "");
  return `$scrypt$ln=${LOG_COST},r=8,p=1$${encode(salt)}$${encode(made)}`;
}

export const verifyPassword = async (password: string, known: PasswordHash): Promise<boolean> =>
  timingSafeEqual(await derive(password, known, known.hash.length), known.hash);

const derive = (password: string, from: Omit<PasswordHash, "hash">, length: number): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const { cost: N, blockSize: r, parallelism: p, salt } = from;
    scrypt(password.normalize("NFC"), salt, length, { N, r, p, maxmem: 256 * N * r }, (error, made) => {
      if (error === null) resolve(made);
      else reject(error);
    });
  });
