import { openEmbeddedStore } from "./embedded-store.ts";

/** A credential as it is kept: a key as its digest, a password as its hash. Times are in ISO 8601. */
export interface StoredCredential {
  readonly id: string;
  readonly createdAt: string;
  readonly apiKey?: string;
  readonly username?: string;
  readonly password?: string;
  readonly token?: { readonly issuer: string; readonly subject: string };
  readonly certificate?: string;
  readonly scopes?: string[];
  readonly expires?: string;
}

export interface StoredConsumer {
  readonly groups?: string[];
  readonly quotas?: { readonly limit: number; readonly per: "day" | "month" }[];
  readonly plugins?: (string | Record<string, unknown>)[];
  readonly credentials: StoredCredential[];
}

/** The consumers of the admin API, in a folder (LMDB) that the gateways of one machine share. */
export interface ConsumerStore {
  /** Another number after each change, by whatever process. */
  version(): number;
  all(): Map<string, StoredConsumer>;
  /** On disk when it resolves. @param consumer undefined: it is no more */
  put(name: string, consumer: StoredConsumer | undefined): Promise<void>;
  close(): Promise<void>;
}

/** @throws Error when the folder cannot be written */
export function openConsumerStore(folder: string): ConsumerStore {
  const store = openEmbeddedStore({ folder });
  const consumers = store.table<StoredConsumer, string>("consumers", "json");
  const numbers = store.table<number, string>("numbers", "json");
  return {
    version: () => numbers.get("version") ?? 0,
    all: () => new Map([...consumers.getRange()].map(({ key, value }) => [key, value])),
    async put(name, consumer) {
      await store.write(() => {
        if (consumer === undefined) consumers.removeSync(name);
        else consumers.putSync(name, consumer);
        numbers.putSync("version", (numbers.get("version") ?? 0) + 1);
      });
    },
    close: () => store.close(),
  };
}
