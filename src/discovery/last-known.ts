import { join } from "node:path";
import type { Instance } from "../core/upstream.ts";
import { readSnapshot, writeSnapshot } from "./snapshot-file.ts";
import type { DiscoverySource, InstanceListener, Watch } from "./source.ts";

export interface LastKnownOptions {
  /** Folder of the snapshots that a restart starts from. */
  readonly folder: string;
  /** What is known longer ago than this is no longer used. Default: 86,400. */
  readonly maxAgeSeconds?: number | undefined;
  /** How long an empty list is not believed where there were instances. Default: 30. */
  readonly distrustSeconds?: number | undefined;
  /** From this many instances on an empty list is distrusted: fewer may well have ended together. Default: 3. */
  readonly distrustFrom?: number | undefined;
}

/** Before what is told is written: longer for a long list, which is megabytes. */
const SAVE_AFTER_MS = 500;
const SAVE_AFTER_MS_PER_INSTANCE = 0.5;
const CHECK_AGE_MS = 1_000;
/** A start waits no longer than this for a source that does not answer, when a snapshot is there. */
const FIRST_ANSWER_MS = 1_000;

/**
 * What a source has told outlives the source: the last known instances serve on while it is away, after a restart too,
 * and a sudden emptiness is not believed at once.
 */
export function withLastKnown(source: DiscoverySource, options: LastKnownOptions): DiscoverySource {
  const open = new Set<Memory>();
  return {
    name: source.name,
    watch(service, listener) {
      const memory = new Memory(source, service, listener, options, () => open.delete(memory));
      open.add(memory);
      return memory;
    },
    async close() {
      await Promise.all([...open].map((memory) => memory.end()));
      await source.close();
    },
  };
}

class Memory implements Watch {
  readonly ready: Promise<void>;
  private readonly listener: InstanceListener;
  private readonly options: LastKnownOptions;
  private readonly file: string;
  private readonly forget: () => void;
  private inner: Watch | undefined = undefined;
  private current: readonly Instance[] = [];
  private knownAtMs = Number.NaN;
  private isHeard = false;
  private isTooOld = false;
  private isClosed = false;
  private distrust: NodeJS.Timeout | undefined = undefined;
  private saving: NodeJS.Timeout | undefined = undefined;
  private written: Promise<void> = Promise.resolve();
  private readonly checking: NodeJS.Timeout;

  constructor(
    source: DiscoverySource,
    service: string,
    listener: InstanceListener,
    options: LastKnownOptions,
    forget: () => void,
  ) {
    this.listener = listener;
    this.options = options;
    this.forget = forget;
    this.file = join(options.folder, `${source.name}-${encodeURIComponent(service)}.json`);
    this.checking = setInterval(() => this.checkAge(), CHECK_AGE_MS);
    this.checking.unref();
    this.ready = this.start(source, service);
  }

  ageMs(): number {
    return this.isHeard && this.inner !== undefined ? this.inner.ageMs() : Date.now() - this.knownAtMs;
  }

  close(): void {
    void this.end();
  }

  async end(): Promise<void> {
    if (this.isClosed) return this.written;
    this.isClosed = true;
    this.inner?.close();
    clearInterval(this.checking);
    clearTimeout(this.distrust);
    if (this.saving !== undefined) this.save();
    await this.written;
    // Not before: who closes the source waits for what is still being written.
    this.forget();
  }

  private async start(source: DiscoverySource, service: string): Promise<void> {
    const saved = await readSnapshot(this.file);
    if (this.isClosed) return;
    if (saved !== undefined) {
      this.current = saved.instances;
      this.knownAtMs = saved.savedAtMs;
    }
    this.inner = source.watch(service, (instances) => this.take(instances));
    await Promise.race([this.inner.ready, ...(saved === undefined ? [] : [delay(FIRST_ANSWER_MS)])]);
    if (!this.isHeard && saved !== undefined && !this.isClosed) {
      this.listener(this.current);
      this.checkAge();
    }
  }

  private take(instances: readonly Instance[]): void {
    if (this.isClosed) return;
    const isFirst = !this.isHeard;
    this.isHeard = true;
    if (instances.length === 0 && this.current.length >= (this.options.distrustFrom ?? 3)) {
      if (isFirst) this.listener(this.current);
      this.distrust ??= setTimeout(() => this.accept([]), (this.options.distrustSeconds ?? 30) * 1000).unref();
      return;
    }
    this.accept(instances);
  }

  private accept(instances: readonly Instance[]): void {
    clearTimeout(this.distrust);
    this.distrust = undefined;
    this.current = instances;
    this.isTooOld = false;
    this.listener(instances);
    const afterMs = SAVE_AFTER_MS + instances.length * SAVE_AFTER_MS_PER_INSTANCE;
    this.saving ??= setTimeout(() => this.save(), afterMs).unref();
  }

  private checkAge(): void {
    const isTooOld = this.ageMs() > (this.options.maxAgeSeconds ?? 86_400) * 1000;
    if (isTooOld === this.isTooOld) return;
    this.isTooOld = isTooOld;
    this.listener(isTooOld ? [] : this.current);
  }

  private save(): void {
    clearTimeout(this.saving);
    this.saving = undefined;
    const saved = { savedAtMs: Date.now(), instances: this.current };
    // A folder that cannot be written costs the next restart its head start, and this one nothing.
    this.written = this.written.then(() => writeSnapshot(this.file, saved)).catch(() => {});
  }
}

const delay = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms).unref());
