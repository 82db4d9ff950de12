/** The service's door: one call registers, keeps the lease by heartbeats, and deregisters when the process is told to end. */
export interface RegisterOptions {
  /** Base URL of the registry, or of several over one store. */
  readonly registry: string | readonly string[];
  readonly service: string;
  /** Where the gateway reaches this instance. */
  readonly url: string;
  /** Unique within the service, and the same after a restart. Default: host and port of `url`. */
  readonly id?: string | undefined;
  readonly token?: string | undefined;
  readonly weight?: number | undefined;
  readonly zone?: string | undefined;
  readonly version?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  readonly status?: InstanceStatus | undefined;
  /** How long the registry waits for a heartbeat; one is sent each third of it. Default: 30. */
  readonly ttlSeconds?: number | undefined;
  /** Deregister on SIGTERM and SIGINT, then let the process end as it would have. Default: true. */
  readonly deregisterOnSignal?: boolean | undefined;
  /** Told of each failure that is tried again. */
  readonly onError?: ((error: Error) => void) | undefined;
}

export type InstanceStatus = "up" | "draining" | "down";

export interface RegisteredInstance {
  readonly service: string;
  readonly id: string;
  /** `draining` gets no new work, `up` does. */
  setStatus(status: InstanceStatus): Promise<void>;
  /** Stops the heartbeats and takes the instance out; resolves even if the registry cannot be told. */
  close(): Promise<void>;
}

/** The registry's refusal: trying again would not help. */
export class RegistrationError extends Error {
  readonly status: number;
  readonly problem: unknown;

  constructor(status: number, problem: unknown) {
    super(`the registry refused with ${status}: ${JSON.stringify(problem)}`);
    this.name = "RegistrationError";
    this.status = status;
    this.problem = problem;
  }
}

const REQUEST_TIMEOUT_MS = 5_000;
const FIRST_RETRY_MS = 200;
const MOST_RETRY_MS = 10_000;

/**
 * Registers this process as an instance of a service. Resolves once the registry has it; while the registry cannot be
 * reached, tries again, less and less often.
 * @throws RegistrationError when the registry refuses
 */
export async function register(options: RegisterOptions): Promise<RegisteredInstance> {
  const heart = new Heart(options);
  await heart.start();
  const signals = options.deregisterOnSignal === false ? [] : (["SIGTERM", "SIGINT"] as const);
  const onSignal = (signal: NodeJS.Signals): void => {
    forget();
    // Without us nobody listens: the signal does then what it does to a process that never asked.
    void heart.stop().then(() => process.listenerCount(signal) === 0 && process.kill(process.pid, signal));
  };
  const forget = (): void => {
    for (const signal of signals) process.off(signal, onSignal);
  };
  for (const signal of signals) process.on(signal, onSignal);
  return {
    service: options.service,
    id: heart.id,
    setStatus: (status) => heart.setStatus(status),
    async close() {
      forget();
      await heart.stop();
    },
  };
}

class Heart {
  readonly id: string;
  private readonly options: RegisterOptions;
  private readonly registries: readonly string[];
  private readonly path: string;
  private readonly ttlSeconds: number;
  private turn = 0;
  private lease: string | undefined = undefined;
  private status: InstanceStatus | undefined;
  private failures = 0;
  private timer: NodeJS.Timeout | undefined = undefined;
  private isStopped = false;

  constructor(options: RegisterOptions) {
    this.options = options;
    this.registries = [options.registry].flat() as string[];
    this.id = options.id ?? new URL(options.url).host.replace(/[^A-Za-z0-9._:-]/g, "");
    this.path = `/v1/services/${encodeURIComponent(options.service)}/instances/${encodeURIComponent(this.id)}`;
    this.ttlSeconds = options.ttlSeconds ?? 30;
    this.status = options.status;
  }

  async start(): Promise<void> {
    for (;;) {
      try {
        await this.enter();
        break;
      } catch (error) {
        if (error instanceof RegistrationError) throw error;
        await new Promise((resolve) => setTimeout(resolve, this.failed(error as Error)));
      }
    }
    this.schedule(this.beatMs());
  }

  async setStatus(status: InstanceStatus): Promise<void> {
    this.status = status;
    await this.send("PUT", `${this.path}/status`, { status });
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    clearTimeout(this.timer);
    await this.send("DELETE", this.path).catch(() => {});
  }

  private async enter(): Promise<void> {
    const { url, weight, zone, version, tags, metadata } = this.options;
    const body = { url, weight, zone, version, tags, metadata, status: this.status, ttlSeconds: this.ttlSeconds };
    const made = (await this.send("PUT", this.path, body)) as { lease?: string } | undefined;
    this.lease = made?.lease;
    this.failures = 0;
  }

  private async beat(): Promise<void> {
    try {
      if (this.lease === undefined) await this.enter();
      else await this.send("PUT", `${this.path}/renew?lease=${encodeURIComponent(this.lease)}`);
      this.failures = 0;
      this.schedule(this.beatMs());
    } catch (error) {
      if (error instanceof RegistrationError && error.status === 404 && this.lease !== undefined) {
        this.lease = undefined;
        this.schedule(0);
        return;
      }
      this.schedule(Math.min(this.failed(error as Error), this.beatMs()));
    }
  }

  private schedule(delayMs: number): void {
    if (this.isStopped) return;
    this.timer = setTimeout(() => void this.beat(), delayMs);
    this.timer.unref();
  }

  /** A third of the lease, spread: instances that started together must not beat together. */
  private beatMs(): number {
    return ((this.ttlSeconds * 1000) / 3) * (0.8 + Math.random() * 0.2);
  }

  private failed(error: Error): number {
    this.options.onError?.(error);
    this.turn++;
    const whole = Math.min(MOST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.failures++);
    return whole * (0.5 + Math.random() / 2);
  }

  private async send(method: string, path: string, body?: unknown): Promise<unknown> {
    const base = this.registries[this.turn % this.registries.length];
    const response = await fetch(new URL(path, base), {
      method,
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(this.options.token === undefined ? {} : { authorization: `Bearer ${this.options.token}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    const text = await response.text();
    if (response.ok) return text === "" ? undefined : JSON.parse(text);
    if (response.status >= 500 || response.status === 429) throw new Error(`the registry answered ${response.status}`);
    throw new RegistrationError(response.status, parseProblem(text));
  }
}

function parseProblem(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text.slice(0, 200);
  }
}
