import { mkdirSync } from "node:fs";
import { open, type RootDatabase } from "lmdb";
import type { Registration } from "./registration.ts";

/**
 * A restart counts on from here: a watcher may have seen changes whose writes a crash lost, and must not wait for an
 * index that it believes it has.
 */
const INDEX_GAP = 100_000;

type Key = ["instance", string, string] | ["instance"] | "index";

/** The catalog's durable side: one LMDB file. What it has acknowledged survives `kill -9` and a power cut. */
export class Journal {
  private readonly db: RootDatabase<Registration | number, Key>;

  constructor(folder: string) {
    mkdirSync(folder, { recursive: true });
    this.db = open<Registration | number, Key>({ path: `${folder}/registry.lmdb`, encoding: "json" });
  }

  read(): { index: number; registrations: Registration[] } {
    const index = this.db.get("index") as number | undefined;
    const registrations: Registration[] = [];
    for (const { value } of this.db.getRange({ start: ["instance"] })) {
      if (typeof value === "object") registrations.push(value);
    }
    return { index: index === undefined ? 1 : index + INDEX_GAP, registrations };
  }

  /** Resolves once it is on the disk; writes of one tick share a flush. */
  async put(registration: Registration, index: number): Promise<void> {
    await this.db.batch(() => {
      void this.db.put(["instance", registration.service, registration.id], registration);
      void this.db.put("index", index);
    });
    await this.db.flushed;
  }

  async delete(registrations: readonly Registration[], index: number): Promise<void> {
    await this.db.batch(() => {
      for (const { service, id } of registrations) void this.db.remove(["instance", service, id]);
      void this.db.put("index", index);
    });
    await this.db.flushed;
  }

  async close(): Promise<void> {
    await this.db.close();
  }
}
