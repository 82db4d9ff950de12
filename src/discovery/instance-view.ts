import type { Instance } from "../core/upstream.ts";
import type { InstanceListener } from "./source.ts";

/** A list as long as this costs microseconds to take over: changes that come close together are told together. */
const SETTLE_MS_PER_INSTANCE = 0.05;
const MOST_SETTLE_MS = 500;

/** A service's instances as changes to them come in, one by one. */
export class InstanceView {
  private readonly instances = new Map<string, Instance>();
  private readonly listener: InstanceListener;
  private isStarted = false;
  private timer: NodeJS.Timeout | undefined = undefined;

  constructor(listener: InstanceListener) {
    this.listener = listener;
  }

  /** @param instance undefined: it is gone */
  set(key: string, instance: Instance | undefined): void {
    if (instance === undefined) this.instances.delete(key);
    else this.instances.set(key, instance);
    if (!this.isStarted || this.timer !== undefined) return;
    const delayMs = Math.min(MOST_SETTLE_MS, this.instances.size * SETTLE_MS_PER_INSTANCE);
    this.timer = setTimeout(() => this.tell(), delayMs);
  }

  /** All that stands has been set: it is told, and from now on each change. */
  start(): void {
    this.isStarted = true;
    this.tell();
  }

  /** Tells what has not been told yet. */
  close(): void {
    if (this.timer !== undefined) this.tell();
  }

  private tell(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.listener([...this.instances.values()]);
  }
}
