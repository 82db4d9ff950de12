import { type FSWatcher, watch } from "node:fs";
import { dirname, extname, resolve } from "node:path";
import type { Gateway } from "../gateway/gateway.ts";

const EXTENSIONS = new Set([".yaml", ".yml", ".json", ".md"]);
/** An editor writes a file in several steps. */
const QUIET_MS = 150;

/** Calls back when a file of a gateway's configuration, or one that its specs are made of, has changed. */
export class ConfigWatch {
  private readonly gateway: Pick<Gateway, "config" | "current">;
  private readonly onChange: () => void;
  private readonly watchers = new Map<string, FSWatcher>();
  private timer: NodeJS.Timeout | undefined;

  constructor(gateway: Pick<Gateway, "config" | "current">, onChange: () => void) {
    this.gateway = gateway;
    this.onChange = onChange;
    this.follow();
  }

  /** Watches what the configuration in force is made of. Folders, not files: an editor may put another file in a file's place. */
  follow(): void {
    const { folder, options } = this.gateway.config();
    const folders = new Set([folder, resolve(folder, options.routes ?? "./routes")]);
    for (const { files } of this.gateway.current().specs) for (const file of files.paths) folders.add(dirname(file));
    for (const [watched, watcher] of this.watchers) {
      if (folders.has(watched)) continue;
      watcher.close();
      this.watchers.delete(watched);
    }
    for (const path of folders) if (!this.watchers.has(path)) this.watch(path);
  }

  close(): void {
    clearTimeout(this.timer);
    for (const watcher of this.watchers.values()) watcher.close();
  }

  private watch(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, (_event, name) => {
        if (name === null || EXTENSIONS.has(extname(name))) this.noticed();
      });
      watcher.on("error", () => this.watchers.delete(folder));
      this.watchers.set(folder, watcher);
    } catch {
      // A folder that is not there is looked for again after the next reload.
    }
  }

  private noticed(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(this.onChange, QUIET_MS).unref();
  }
}
