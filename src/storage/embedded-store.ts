import { mkdirSync } from "node:fs";
import { type Database, open, type RootDatabase } from "lmdb";

/** What each table of a store holds: `binary` bytes as they are, `json` anything else. */
export type Encoding = "binary" | "json";
export type Table<V, K extends string | number | readonly (string | number)[]> = Database<
  V,
  K extends readonly unknown[] ? (string | number)[] : K
>;

/**
 * One folder of named tables (LMDB): read without a copy in between, written in transactions, shared by the processes
 * of one machine. A key is at most {@link MAX_KEY_BYTES} long.
 */
export interface EmbeddedStore {
  table<V, K extends string | number | readonly (string | number)[]>(name: string, encoding: Encoding): Table<V, K>;
  /** Runs when the batch of writes is next written. All of it is written, or nothing. */
  write<T>(change: () => T): Promise<T>;
  /** At once: what it wrote is seen by every process when it returns. */
  writeNow<T>(change: () => T): T;
  close(): Promise<void>;
}

export interface EmbeddedStoreOptions {
  /** Made when it is not there. */
  readonly folder: string;
  /** False: after a power cut the latest writes may be gone, never half there. Default: true. */
  readonly isDurable?: boolean;
  readonly maxTables?: number;
}

/** @throws Error when the folder cannot be written */
export function openEmbeddedStore({ folder, isDurable = true, maxTables = 16 }: EmbeddedStoreOptions): EmbeddedStore {
  mkdirSync(folder, { recursive: true });
  const root: RootDatabase = open({ path: folder, maxDbs: maxTables, noSync: !isDurable, commitDelay: 0 });
  return {
    table: (name, encoding) => root.openDB({ name, encoding }) as never,
    write: (change) => root.transaction(change) as never,
    writeNow: (change) => root.transactionSync(change) as never,
    close: () => root.close(),
  };
}
