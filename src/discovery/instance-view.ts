import type { Instance } from "../core/upstream.ts";
import type { InstanceListener } from "./source.ts";

/** A list as long as this costs microseconds to take over: changes that come close together are told together. */
const SETTLE_MS_PER_INSTANCE = 0.05;
const MOST_SETTLE_MS = 500;

/**
 * A service's instances as changes to them come in, one by one. What is told again as it was stays the very object that
 * it was: whoever is told of thousands sees at a glance which are news.
 */
export class InstanceView {
  private instances = new Map<string, Instance>();
  /** While a list is being read anew: what it has said so far. */
  private coming: Map<string, Instance> | undefined = undefined;
  private readonly listener: InstanceListener;
  private timer: NodeJS.Timeout | undefined = undefined;

  constructor(listener: InstanceListener) {
    this.listener = listener;
  }

  /** What follows is a list of all that stands, up to `commit`. */
  begin(): void {
    this.flush();
    this.coming = new Map();
  }

  /** @param told undefined: it is gone */
  set(key: string, told: Instance | undefined): void {
    const known = this.instances.get(key);
    const instance = told !== undefined && known !== undefined && isSame(told, known) ? known : told;
    if (this.coming !== undefined) {
      put(this.coming, key, instance);
      return;
    }
    if (instance === known) return;
    put(this.instances, key, instance);
    const delayMs = Math.min(MOST_SETTLE_MS, this.instances.size * SETTLE_MS_PER_INSTANCE);
    this.timer ??= setTimeout(() => this.tell(), delayMs);
  }

  /** All that stands has been set: it is told, and from now on each change. */
  commit(): void {
    if (this.coming !== undefined) this.instances = this.coming;
    this.coming = undefined;
    this.tell();
  }

  /** Tells what has not been told yet; a list that has not come to its end is forgotten. */
  flush(): void {
    this.coming = undefined;
    if (this.timer !== undefined) this.tell();
  }

  private tell(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.listener([...this.instances.values()]);
  }
}

function put(into: Map<string, Instance>, key: string, instance: Instance | undefined): void {
  if (instance === undefined) into.delete(key);
  else into.set(key, instance);
}

function isSame(a: Instance, b: Instance): boolean {
  return (
    a.id === b.id &&
    a.url === b.url &&
    a.weight === b.weight &&
    a.status === b.status &&
    a.zone === b.zone &&
    a.version === b.version &&
    a.unconfirmed === b.unconfirmed &&
    haveSame(a.tags, b.tags) &&
    haveSame(a.metadata, b.metadata)
  );
}

/** Lists and mappings of text. */
function haveSame(a: object | undefined, b: object | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  return names.every((name) => (a as Record<string, string>)[name] === (b as Record<string, string>)[name]);
}
