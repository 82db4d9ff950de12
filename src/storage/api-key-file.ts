import { hash, randomBytes } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";

/** A key as it is kept: its digest, never the key. Times are in ISO 8601. */
export interface StoredKey {
  readonly id: string;
  /** SHA-256 of the key, in hex. */
  readonly digest: string;
  readonly consumer: string;
  readonly groups: readonly string[];
  readonly scopes: readonly string[];
  readonly createdAt: string;
  readonly expiresAt?: string | undefined;
}

export interface NewKey {
  readonly consumer: string;
  readonly groups?: readonly string[] | undefined;
  readonly scopes?: readonly string[] | undefined;
  readonly expiresAt?: string | undefined;
}

const LOOK_AGAIN_MS = 1_000;

/** What a gateway sees of a file of keys: read again within a second of each change. */
export class ApiKeyReader {
  private readonly file: string;
  private readonly nowMs: () => number;
  private byDigest: ReadonlyMap<string, StoredKey> = new Map();
  private version = "";
  private lookedAtMs = Number.NEGATIVE_INFINITY;

  /** @param nowMs monotonic */
  constructor(file: string, nowMs: () => number) {
    this.file = file;
    this.nowMs = nowMs;
  }

  /** @throws Error when the file cannot be read: a key that was revoked must not come back with an older copy */
  find(digest: string): StoredKey | undefined {
    const now = this.nowMs();
    if (now - this.lookedAtMs > LOOK_AGAIN_MS) {
      this.refresh();
      this.lookedAtMs = now;
    }
    return this.byDigest.get(digest);
  }

  private refresh(): void {
    const found = statSync(this.file, { throwIfNoEntry: false });
    const version = found === undefined ? "none" : `${found.ino} ${found.mtimeMs} ${found.size}`;
    if (version === this.version) return;
    const keys = found === undefined ? [] : parse(readFileSync(this.file, "utf8"));
    this.byDigest = new Map(keys.map((key) => [key.digest, key]));
    this.version = version;
  }
}

/** Makes and ends keys in a file that gateways read. Each change is whole and on disk when it returns, or has not been. */
export class ApiKeyFile {
  private readonly file: string;

  constructor(file: string) {
    this.file = file;
  }

  list(): StoredKey[] {
    try {
      return parse(readFileSync(this.file, "utf8"));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw error;
    }
  }

  /** @returns the key itself, which nothing can tell again */
  create(from: NewKey): Promise<{ key: string; stored: StoredKey }> {
    return this.change((keys) => {
      const made = make(from);
      return { keys: [...keys, made.stored], result: made };
    });
  }

  /** A new key with the rights of an old one, which ends after a time of grace. @returns undefined: no such id */
  rotate(id: string, graceSeconds: number): Promise<{ key: string; stored: StoredKey } | undefined> {
    return this.change((keys) => {
      const old = keys.find((key) => key.id === id);
      if (old === undefined) return { keys, result: undefined };
      const made = make({ ...old, expiresAt: undefined });
      const ends = new Date(Date.now() + graceSeconds * 1000).toISOString();
      const expiresAt = old.expiresAt !== undefined && old.expiresAt < ends ? old.expiresAt : ends;
      const others = keys.map((key) => (key.id === id ? { ...key, expiresAt } : key));
      return { keys: [...others, made.stored], result: made };
    });
  }

  /** @returns false: no such id */
  expire(id: string, at: Date): Promise<boolean> {
    return this.change((keys) => ({
      keys: keys.map((key) => (key.id === id ? { ...key, expiresAt: at.toISOString() } : key)),
      result: keys.some((key) => key.id === id),
    }));
  }

  /** Takes the key away. @returns false: no such id */
  revoke(id: string): Promise<boolean> {
    return this.change((keys) => ({
      keys: keys.filter((key) => key.id !== id),
      result: keys.some((key) => key.id === id),
    }));
  }

  private async change<T>(edit: (keys: StoredKey[]) => { keys: readonly StoredKey[]; result: T }): Promise<T> {
    await mkdir(dirname(this.file), { recursive: true });
    const release = await lock(`${this.file}.lock`);
    try {
      const { keys, result } = edit(this.list());
      const next = `${this.file}.new`;
      const handle = await open(next, "w", 0o600);
      await handle.writeFile(`${JSON.stringify({ keys }, null, 1)}\n`);
      await handle.sync();
      await handle.close();
      await rename(next, this.file);
      return result;
    } finally {
      await release();
    }
  }
}

function make(from: NewKey): { key: string; stored: StoredKey } {
  const key = `pk_${randomBytes(32).toString("base64url")}`;
  const { consumer, groups = [], scopes = [], expiresAt } = from;
  const stored: StoredKey = {
    id: randomBytes(8).toString("hex"),
    digest: hash("sha256", key, "hex"),
    consumer,
    groups,
    scopes,
    createdAt: new Date().toISOString(),
    ...(expiresAt !== undefined && { expiresAt: new Date(expiresAt).toISOString() }),
  };
  return { key, stored };
}

function parse(text: string): StoredKey[] {
  const { keys } = JSON.parse(text) as { keys?: unknown };
  if (!Array.isArray(keys)) throw new Error("the file of API keys has no list of keys");
  return keys as StoredKey[];
}

const LOCK_TRIES = 250;
const STALE_LOCK_MS = 30_000;

/** One writer at a time, in whatever process: a file that only one can make. */
async function lock(file: string): Promise<() => Promise<void>> {
  for (let tries = 0; tries < LOCK_TRIES; tries++) {
    try {
      await (await open(file, "wx")).close();
      return () => rm(file, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      const held = await stat(file).catch(() => undefined);
      if (held !== undefined && Date.now() - held.mtimeMs > STALE_LOCK_MS) await rm(file, { force: true });
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  throw new Error(`${file} is held by another process; remove it if there is none`);
}
