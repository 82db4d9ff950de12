import { hash, randomBytes } from "node:crypto";
import type { ConsumerSettings, CredentialOptions } from "../config/consumer-options.ts";
import { ConfigError } from "../config/problem.ts";
import { hashPassword } from "../core/password.ts";
import type { Logger } from "../pipeline/contract.ts";
import type { ConsumerStore, StoredConsumer, StoredCredential } from "../storage/consumer-store.ts";
import type { Consumers } from "./consumers.ts";

/** How often another process's changes are looked for. */
const LOOK_EVERY_MS = 1_000;

export type NewCredential = Omit<CredentialOptions, "apiKey"> & {
  /** True: one is made, and told once. */
  readonly apiKey?: string | true;
  /** In clear text; its hash is kept. */
  readonly plainPassword?: string;
};

/** Makes, changes and ends consumers while the gateway runs: each change is on disk, and in force, when it resolves. */
export class ConsumerAdmin {
  private readonly store: ConsumerStore;
  private readonly current: () => Consumers;
  private readonly log: Logger;
  private readonly ticker: NodeJS.Timeout;
  private seen: number;
  private applied: ReadonlyMap<string, StoredConsumer>;
  private last: Promise<unknown> = Promise.resolve();

  /** @param current of the snapshot that serves */
  constructor(store: ConsumerStore, current: () => Consumers, log: Logger) {
    this.store = store;
    this.current = current;
    this.log = log;
    this.seen = store.version();
    this.applied = store.all();
    this.ticker = setInterval(() => {
      this.inTurn(() => this.look()).catch((error: unknown) => log.error({ err: error }, "consumers cannot be read"));
    }, LOOK_EVERY_MS).unref();
  }

  /** What is kept, for a snapshot that is built. */
  stored(): ReadonlyMap<string, StoredConsumer> {
    return this.applied;
  }

  /** Whether `consumers` of the configuration has it: those are changed in their file. */
  isInFiles(name: string): boolean {
    return this.current().isInFiles(name);
  }

  /** @returns whether it is new @throws ConfigError with what is wrong */
  put(name: string, settings: ConsumerSettings): Promise<{ isNew: boolean; consumer: StoredConsumer }> {
    return this.inTurn(async () => {
      const before = this.applied.get(name);
      const consumer = { ...settings, credentials: before?.credentials ?? [] };
      await this.change(name, consumer);
      return { isNew: before === undefined, consumer };
    });
  }

  /** @returns false: there is none */
  remove(name: string): Promise<boolean> {
    return this.inTurn(async () => {
      if (!this.applied.has(name)) return false;
      await this.change(name, undefined);
      return true;
    });
  }

  /** @returns undefined: no such consumer; `key` only where one was made @throws ConfigError */
  addCredential(
    name: string,
    given: NewCredential,
  ): Promise<{ credential: StoredCredential; key?: string } | undefined> {
    return this.inTurn(async () => {
      const consumer = this.applied.get(name);
      if (consumer === undefined) return undefined;
      const made = await make(given);
      await this.change(name, { ...consumer, credentials: [...consumer.credentials, made.credential] });
      return made;
    });
  }

  /** A new key with the rights of an old one, which ends after a time of grace. @returns undefined: no such API key */
  rotate(
    name: string,
    id: string,
    graceSeconds: number,
  ): Promise<{ credential: StoredCredential; key?: string } | undefined> {
    return this.inTurn(async () => {
      const consumer = this.applied.get(name);
      const old = consumer?.credentials.find((each) => each.id === id);
      if (consumer === undefined || old?.apiKey === undefined) return undefined;
      const { scopes, expires: ends } = old;
      const made = await make({
        apiKey: true,
        ...(scopes && { scopes }),
        ...(ends !== undefined && { expires: ends }),
      });
      const graceEnds = new Date(Date.now() + graceSeconds * 1000).toISOString();
      const expires = ends !== undefined && Date.parse(ends) < Date.parse(graceEnds) ? ends : graceEnds;
      const others = consumer.credentials.map((each) => (each.id === id ? { ...each, expires } : each));
      await this.change(name, { ...consumer, credentials: [...others, made.credential] });
      return made;
    });
  }

  /** @param expires undefined: it is taken away @returns false: no such credential */
  endCredential(name: string, id: string, expires: string | undefined): Promise<boolean> {
    return this.inTurn(async () => {
      const consumer = this.applied.get(name);
      if (consumer === undefined || !consumer.credentials.some((each) => each.id === id)) return false;
      const credentials =
        expires === undefined
          ? consumer.credentials.filter((each) => each.id !== id)
          : consumer.credentials.map((each) => (each.id === id ? { ...each, expires } : each));
      await this.change(name, { ...consumer, credentials });
      return true;
    });
  }

  /** No change is under way any more when it resolves. */
  async close(): Promise<void> {
    clearInterval(this.ticker);
    await this.last;
    await this.store.close();
  }

  /** One after the other: what one has checked, another must not change. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.last.then(work);
    this.last = done.catch(() => {});
    return done;
  }

  private async change(name: string, consumer: StoredConsumer | undefined): Promise<void> {
    const consumers = this.current();
    const { known, problems } =
      consumer === undefined ? { known: undefined, problems: [] } : await consumers.prepare(name, toOptions(consumer));
    if (problems.length > 0) throw new ConfigError(problems);
    await this.store.put(name, consumer);
    consumers.set(name, known);
    this.note();
  }

  /** What another process has changed. What cannot be used here admits nobody: a consumer without its limits is none. */
  private async look(): Promise<void> {
    if (this.store.version() === this.seen) return;
    const before = this.applied;
    this.note();
    const consumers = this.current();
    for (const name of new Set([...before.keys(), ...this.applied.keys()])) {
      const [old, now] = [before.get(name), this.applied.get(name)];
      if (consumers.isInFiles(name) || JSON.stringify(old) === JSON.stringify(now)) continue;
      const { known, problems } =
        now === undefined ? { known: undefined, problems: [] } : await consumers.prepare(name, toOptions(now));
      if (problems.length > 0)
        this.log.error({ err: new ConfigError(problems) }, `the consumer ${name} cannot be used`);
      consumers.set(name, known);
    }
  }

  private note(): void {
    this.seen = this.store.version();
    this.applied = this.store.all();
  }
}

/** Without what the admin API alone keeps. */
export const toOptions = ({ credentials, ...settings }: StoredConsumer) => ({
  ...settings,
  credentials: credentials.map(({ id: _id, createdAt: _createdAt, ...credential }) => credential),
});

async function make(given: NewCredential): Promise<{ credential: StoredCredential; key?: string }> {
  const { apiKey, plainPassword, ...rest } = given;
  const key = apiKey === true ? `pk_${randomBytes(32).toString("base64url")}` : apiKey;
  const digest = key?.startsWith("sha256:") === true ? key : key && `sha256:${hash("sha256", key, "hex")}`;
  const credential = {
    id: randomBytes(8).toString("hex"),
    createdAt: new Date().toISOString(),
    ...rest,
    ...(digest !== undefined && { apiKey: digest }),
    ...(plainPassword !== undefined && { password: await hashPassword(plainPassword) }),
  };
  return apiKey === true && key !== undefined ? { credential, key } : { credential };
}
