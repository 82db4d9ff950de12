import { type Clock, GatewayError } from "../../src/plugin.ts";
import { type KeySet, parseKeySet } from "./keys.ts";

/** Where keys come from. */
export interface KeySource {
  /** What is known now; undefined before the first answer. */
  readonly current: KeySet | undefined;
  /** Counts the sets: what was verified with an earlier one no longer counts. */
  readonly generation: number;
  /** Starts to look whether the keys are still these, when it is time to. Never throws, never waits. */
  refreshIfDue(): void;
  /** @throws GatewayError AUTH_UNAVAILABLE when there are none and none can be had */
  load(): Promise<KeySet>;
  /** After a token named an unknown key: asks again, at a bounded rate. */
  reload(): Promise<KeySet>;
}

/** Keys that stand in the configuration. */
export const fixedKeys = (keys: KeySet): KeySource => ({
  current: keys,
  generation: 0,
  refreshIfDue() {},
  load: async () => keys,
  reload: async () => keys,
});

const TIMEOUT_MS = 3_000;
const MAX_BYTES = 1024 ** 2;

export interface RemoteKeysOptions {
  /** Of the JWK set, or of the discovery document that names it. */
  readonly url: string;
  /** The issuer whose discovery document `url` is; undefined when `url` is the set itself. */
  readonly isDiscovery: boolean;
  readonly maxAgeMs: number;
  /** Between two fetches, whatever the tokens say. */
  readonly cooldownMs: number;
}

/** Keys that an issuer publishes: cached, fetched again when they age or rotate, kept while the issuer is away. */
export class RemoteKeys implements KeySource {
  current: KeySet | undefined = undefined;
  generation = 0;
  /** As the discovery document says. */
  issuer: string | undefined = undefined;
  private readonly options: RemoteKeysOptions;
  private readonly clock: Clock;
  private readonly warn: (error: unknown) => void;
  private text = "";
  private triedAtMs = Number.NEGATIVE_INFINITY;
  private fetchedAtMs = Number.NEGATIVE_INFINITY;
  private pending: Promise<void> | undefined = undefined;

  constructor(options: RemoteKeysOptions, clock: Clock, warn: (error: unknown) => void) {
    this.options = options;
    this.clock = clock;
    this.warn = warn;
  }

  refreshIfDue(): void {
    const now = this.clock.monotonicMs();
    if (now - this.fetchedAtMs > this.options.maxAgeMs && now - this.triedAtMs > this.options.cooldownMs) {
      void this.fetchOnce();
    }
  }

  async load(): Promise<KeySet> {
    if (this.current === undefined) await this.fetchIfCool();
    if (this.current !== undefined) return this.current;
    throw new GatewayError("AUTH_UNAVAILABLE", "the keys of the issuer cannot be had", {
      headers: { "Retry-After": String(Math.ceil(this.options.cooldownMs / 1000)) },
    });
  }

  async reload(): Promise<KeySet> {
    await this.fetchIfCool();
    return this.load();
  }

  /** Waits for the fetch under way, or starts one unless the last was a moment ago: tokens cannot make us a flood. ATTACKS 33. */
  private async fetchIfCool(): Promise<void> {
    const isCool = this.clock.monotonicMs() - this.triedAtMs > this.options.cooldownMs;
    if (this.pending !== undefined || isCool) await this.fetchOnce();
  }

  private fetchOnce(): Promise<void> {
    this.triedAtMs = this.clock.monotonicMs();
    this.pending ??= this.fetch()
      .catch(this.warn)
      .finally(() => {
        this.pending = undefined;
      });
    return this.pending;
  }

  private async fetch(): Promise<void> {
    const { url, isDiscovery } = this.options;
    const text = await fetchText(isDiscovery ? await this.discover() : url);
    this.fetchedAtMs = this.clock.monotonicMs();
    if (text === this.text) return;
    this.current = parseKeySet(text, false);
    this.text = text;
    this.generation++;
  }

  /** OpenID Connect Discovery 1.0 §4.3: the document must name the very issuer that was asked. */
  private async discover(): Promise<string> {
    const document = JSON.parse(await fetchText(this.options.url)) as { issuer?: unknown; jwks_uri?: unknown };
    const { issuer, jwks_uri: url } = document;
    if (typeof issuer !== "string" || typeof url !== "string")
      throw new Error("the discovery document lacks issuer or jwks_uri");
    if (discoveryUrl(issuer) !== this.options.url)
      throw new Error(`the discovery document names another issuer: ${issuer}`);
    this.issuer = issuer;
    return url;
  }
}

const WELL_KNOWN = "/.well-known/openid-configuration";

/** @param issuer with or without the well-known path */
export const discoveryUrl = (issuer: string): string =>
  issuer.endsWith(WELL_KNOWN) ? issuer : `${issuer.replace(/\/$/, "")}${WELL_KNOWN}`;

async function fetchText(url: string): Promise<string> {
  const response = await fetch(url, {
    redirect: "error",
    signal: AbortSignal.timeout(TIMEOUT_MS),
    headers: { Accept: "application/json" },
  });
  if (response.status !== 200 || response.body === null) {
    await response.body?.cancel();
    throw new Error(`${url} answered ${response.status}`);
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body) {
    length += chunk.length;
    if (length > MAX_BYTES) throw new Error(`${url} answers more than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
