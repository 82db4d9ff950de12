import { Agent, type Dispatcher, request } from "undici";
import { readText } from "./body-text.ts";
import { EtcdLogin } from "./etcd-login.ts";
import type { EtcdSecurity } from "./etcd-security.ts";

/** One key of etcd, decoded. */
export interface EtcdEntry {
  readonly key: string;
  readonly value: string;
  readonly modRevision: number;
  /** Identifier of its lease; "0" when it has none. */
  readonly lease: string;
}

export interface EtcdEvent {
  readonly kind: "put" | "delete";
  readonly entry: EtcdEntry;
}

/** One part of a transaction, as etcd's JSON API takes it. */
export type EtcdOperation = Readonly<Record<string, unknown>>;

interface RawEntry {
  readonly key: string;
  readonly value?: string;
  readonly mod_revision?: string;
  readonly lease?: string;
}

const TIMEOUT_MS = 3_000;
/** Keys in one answer. */
const PAGE = 500;

export const toBase64 = (text: string): string => Buffer.from(text).toString("base64");
const fromBase64 = (text: string | undefined): string => Buffer.from(text ?? "", "base64").toString();

/** The first key after all that start with a prefix. */
export const endOfPrefix = (prefix: string): string => {
  const bytes = Buffer.from(prefix);
  bytes[bytes.length - 1] = (bytes[bytes.length - 1] as number) + 1;
  return bytes.toString();
};

const toEntry = (raw: RawEntry): EtcdEntry => ({
  key: fromBase64(raw.key),
  value: fromBase64(raw.value),
  modRevision: Number(raw.mod_revision ?? 0),
  lease: raw.lease ?? "0",
});

/** etcd 3.4 and up by its JSON API, on any member that answers. */
export class EtcdClient {
  private readonly endpoints: readonly string[];
  private readonly agent: Agent;
  /** Of the user, where there is one. */
  private readonly login: EtcdLogin | undefined;
  private turn = 0;

  constructor(endpoints: readonly string[], security: EtcdSecurity = {}) {
    const { ca, cert, key, user, password = "" } = security;
    this.endpoints = endpoints;
    this.login = user === undefined ? undefined : new EtcdLogin(() => this.authenticate(user, password));
    const tls = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
    this.agent = new Agent({ connect: { timeout: 1_000, ...tls }, headersTimeout: TIMEOUT_MS, bodyTimeout: 0 });
  }

  /** @param body in etcd's JSON mapping: bytes in base64, 64-bit numbers as text @throws when no member answers */
  async call<T>(path: string, body: object): Promise<T> {
    let failure: unknown;
    // One try more than there are members: the first may only say that the token has ended.
    for (let i = 0; i <= this.endpoints.length; i++) {
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      try {
        const { response, token } = await this.post(path, body, signal);
        const text = await response.body.text();
        // What its TLS front refuses is plain text, such as a client certificate with a common name.
        const answer = (text.startsWith("{") ? JSON.parse(text) : { error: text.trim() }) as T & {
          error?: string | { message?: string };
          result?: T;
        };
        if (response.statusCode === 200 && answer.error === undefined) return answer.result ?? answer;
        const why = typeof answer.error === "object" ? `${answer.error.message}` : `${answer.error}`;
        failure = new Error(`etcd answered ${response.statusCode}: ${why}`);
        if (await this.isRefusal(token, response.statusCode, why)) continue;
        if (response.statusCode < 500) break;
      } catch (error) {
        failure = error;
      }
      this.turn++;
    }
    throw failure;
  }

  /**
   * All keys of a prefix as they were at one revision, read in pages: a long answer would hold up the loop.
   * @param isLocal this member's view, however old; default: agreed by the majority
   */
  async range(prefix: string, isLocal = false): Promise<{ revision: number; entries: EtcdEntry[] }> {
    const entries: EtcdEntry[] = [];
    const end = toBase64(endOfPrefix(prefix));
    let revision = "0";
    for (let from = prefix; ; from = `${entries.at(-1)?.key}\0`) {
      const page = { key: toBase64(from), range_end: end, serializable: isLocal, limit: PAGE, revision };
      const answer = await this.call<{ header: { revision: string }; kvs?: RawEntry[]; more?: boolean }>(
        "/v3/kv/range",
        page,
      );
      if (revision === "0") ({ revision } = answer.header);
      for (const raw of answer.kvs ?? []) entries.push(toEntry(raw));
      if (answer.more !== true || answer.kvs === undefined) return { revision: Number(revision), entries };
    }
  }

  async get(key: string): Promise<EtcdEntry | undefined> {
    const { kvs } = await this.call<{ kvs?: RawEntry[] }>("/v3/kv/range", { key: toBase64(key) });
    return kvs?.[0] === undefined ? undefined : toEntry(kvs[0]);
  }

  /** Does the operations if the key is still as it was read. @param modRevision 0: if it is not there */
  async change(
    key: string,
    modRevision: number,
    operations: readonly EtcdOperation[],
  ): Promise<{ succeeded: boolean; revision: number }> {
    const answer = await this.call<{ succeeded?: boolean; header: { revision: string } }>("/v3/kv/txn", {
      compare: [{ key: toBase64(key), target: "MOD", result: "EQUAL", mod_revision: String(modRevision) }],
      success: operations,
    });
    return { succeeded: answer.succeeded === true, revision: Number(answer.header.revision) };
  }

  /**
   * Follows a prefix from a revision on until the connection breaks, and throws then.
   * @param onStart the watch stands
   */
  async watch(
    prefix: string,
    fromRevision: number,
    signal: AbortSignal,
    on: { start(): void; events(events: EtcdEvent[], revision: number): void },
  ): Promise<never> {
    const create = {
      key: toBase64(prefix),
      range_end: toBase64(endOfPrefix(prefix)),
      start_revision: String(fromRevision),
    };
    const { response, token } = await this.post("/v3/watch", { create_request: create }, signal).catch(
      (error: unknown) => {
        this.turn++;
        throw error;
      },
    );
    if (response.statusCode !== 200) {
      const text = await response.body.text();
      await this.isRefusal(token, response.statusCode, text);
      throw new Error(`etcd answered ${response.statusCode}: ${text.slice(0, 200)}`);
    }
    let rest = "";
    for await (const text of readText(response.body)) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() as string;
      for (const line of lines) takeWatchLine(line, on);
    }
    this.turn++;
    throw new Error("etcd ended the watch");
  }

  /**
   * Asks a quorum every so often, as a member that hangs or is cut off from the others does not end its watches.
   * A call goes on to the next member by itself: that it did is the sign, as much as that none answers.
   * @returns ends it
   */
  watchOver(key: string, everyMs: number, on: { answer(): void; lost(): void }): () => void {
    const member = this.member();
    const answered = (): void => (this.member() === member ? on.answer() : on.lost());
    const timer = setInterval(() => void this.get(key).then(answered, on.lost), everyMs);
    return () => clearInterval(timer);
  }

  async close(): Promise<void> {
    await this.agent.destroy();
  }

  private async post(
    path: string,
    body: object,
    signal: AbortSignal,
  ): Promise<{ response: Dispatcher.ResponseData; token: string }> {
    const token = (await this.login?.current()) ?? "";
    return { response: await this.send(path, body, signal, token), token };
  }

  private async authenticate(name: string, password: string): Promise<string> {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await this.send("/v3/auth/authenticate", { name, password }, signal, "");
    const { token, error = "" } = (await response.body.json()) as { token?: string; error?: string };
    if (token !== undefined) return token;
    // Turned off by its operator for a while: there is nothing to show, and without it everything is answered.
    if (error.includes("authentication is not enabled")) return "";
    throw new Error(`etcd lets ${name} not in: ${error}`);
  }

  private async isRefusal(token: string, status: number, why: string): Promise<boolean> {
    return this.login !== undefined && (await this.login.isRefusal(token, status, why));
  }

  /** The endpoint that is asked next: the one that answered last. */
  private member(): string | undefined {
    return this.endpoints[this.turn % this.endpoints.length];
  }

  private send(path: string, body: object, signal: AbortSignal, token: string): Promise<Dispatcher.ResponseData> {
    const authorization = token === "" ? {} : { authorization: token };
    return request(new URL(path, this.member()), {
      method: "POST",
      dispatcher: this.agent,
      headers: { "content-type": "application/json", ...authorization },
      body: JSON.stringify(body),
      signal,
    });
  }
}

interface RawWatch {
  readonly result?: {
    readonly header?: { readonly revision?: string };
    readonly created?: boolean;
    readonly canceled?: boolean;
    readonly cancel_reason?: string;
    /** The watch was to begin before what etcd still has. */
    readonly compact_revision?: string;
    readonly events?: readonly { readonly type?: string; readonly kv: RawEntry }[];
  };
}

function takeWatchLine(line: string, on: { start(): void; events(events: EtcdEvent[], revision: number): void }): void {
  if (line.trim() === "") return;
  const { result } = JSON.parse(line) as RawWatch;
  if (result === undefined || result.canceled === true) {
    const { compact_revision: since, cancel_reason: reason = line.slice(0, 200) } = result ?? {};
    throw new Error(`etcd cancelled the watch: ${since === undefined ? reason : `compacted up to revision ${since}`}`);
  }
  if (result.created === true) on.start();
  const events = (result.events ?? []).map(({ type, kv }): EtcdEvent => {
    return { kind: type === "DELETE" ? "delete" : "put", entry: toEntry(kv) };
  });
  if (events.length > 0) on.events(events, Number(result.header?.revision ?? 0));
}
