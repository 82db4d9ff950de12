import { type FSWatcher, watch as watchFolder } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { parse } from "yaml";
import type { Instance } from "../core/upstream.ts";
import type { DiscoverySource, InstanceListener } from "./source.ts";
import { findInstance } from "./told-instance.ts";

const SETTLE_MS = 50;

/** Instances from a YAML or JSON file of `service: [url or instance, …]`, read again when it changes. */
export function createFileSource({ path }: { readonly path: string }): DiscoverySource {
  const listeners = new Map<InstanceListener, string>();
  let services: ReadonlyMap<string, readonly Instance[]> | undefined;
  let watcher: FSWatcher | undefined;
  let settling: NodeJS.Timeout | undefined;
  let readAtMs = Number.NaN;
  let isFailing = false;
  let reading: Promise<void> = Promise.resolve();

  const tell = (listener: InstanceListener, service: string): void => {
    if (services !== undefined) listener(services.get(service) ?? []);
  };
  const read = async (): Promise<void> => {
    try {
      services = parseServices(await readFile(path, "utf8"));
      isFailing = false;
      for (const [listener, service] of listeners) tell(listener, service);
    } catch {
      // Gone, or half written: what was read last stands until it can be read again.
      if (!isFailing) readAtMs = performance.now();
      isFailing = true;
    }
  };
  const open = (): void => {
    // The folder, not the file: editors and ConfigMaps put another file in its place.
    watcher = watchFolder(dirname(path), () => {
      settling ??= setTimeout(() => {
        settling = undefined;
        reading = reading.then(read);
      }, SETTLE_MS);
    });
    watcher.on("error", () => {});
    watcher.unref();
    reading = read();
  };

  return {
    name: "file",
    watch(service, listener) {
      const own: InstanceListener = (instances) => listener(instances);
      listeners.set(own, service);
      if (watcher === undefined) open();
      else tell(own, service);
      return {
        ready: reading,
        ageMs: () => (services === undefined ? Number.NaN : isFailing ? performance.now() - readAtMs : 0),
        close: () => void listeners.delete(own),
      };
    },
    async close() {
      listeners.clear();
      clearTimeout(settling);
      watcher?.close();
      await reading;
    },
  };
}

/** @throws when the text is not a mapping of lists; an entry without a usable URL is left out */
function parseServices(text: string): Map<string, Instance[]> {
  const value: unknown = parse(text, { maxAliasCount: 100 });
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new TypeError("not a mapping");
  return new Map(
    Object.entries(value).map(([service, list]) => {
      if (!Array.isArray(list)) throw new TypeError(`${service} is not a list`);
      return [service, list.map((told) => findInstance(told)).filter((instance) => instance !== undefined)];
    }),
  );
}
