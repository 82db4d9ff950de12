import { readFileSync, unwatchFile, watchFile } from "node:fs";
import { resolve } from "node:path";
import {
  createSecureContext,
  type SecureContext,
  type SecureContextOptions,
  type Server,
  type TlsOptions,
} from "node:tls";
import type { ListenTlsOptions } from "../config/listen-options.ts";
import type { Logger } from "../pipeline/contract.ts";

/** Files are looked at that often: `fs.watch` misses what is renamed into place, as certificate tools do. */
const LOOK_EVERY_MS = 2_000;

interface Pair {
  readonly cert: string;
  readonly key: string;
}

/**
 * The certificates of a listener, read anew when their files change; what cannot be read keeps the old ones.
 * @throws Error when the files cannot be read at the start, or do not belong together
 */
export class Certificates {
  private readonly options: ListenTlsOptions;
  private readonly folder: string;
  private readonly log: Logger;
  private readonly onChange = (): void => this.reload();
  private byHost: ReadonlyMap<string, SecureContext>;
  private fallback: SecureContext;
  private server: Pick<Server, "setSecureContext"> | undefined = undefined;

  constructor(options: ListenTlsOptions, folder: string, log: Logger) {
    if (options.clientCertificates !== undefined && options.clientCa === undefined) {
      throw new Error("listen.tls.clientCertificates needs clientCa: the file of the authorities that sign them");
    }
    this.options = options;
    this.folder = folder;
    this.log = log;
    [this.fallback, this.byHost] = this.read();
    for (const file of this.files()) watchFile(file, { interval: LOOK_EVERY_MS, persistent: false }, this.onChange);
  }

  /** For `https` and `http2` servers. Modern ciphers, no renegotiation, TLS 1.2 at the least. */
  serverOptions(): TlsOptions {
    const { clientCa, clientCertificates = "optional" } = this.options;
    return {
      ...this.unnamed(),
      // Asked for, and then either refused here, or left to the mtls plugin: it admits only what TLS has authorised.
      ...(clientCa !== undefined && { requestCert: true, rejectUnauthorized: clientCertificates === "required" }),
      handshakeTimeout: 10_000,
      SNICallback: (host, done) => done(null, this.find(host)),
    };
  }

  /** From now on a client of `server` that names no host, as one that connects to an address, gets what is current, too. */
  renew(server: Pick<Server, "setSecureContext">): void {
    this.server = server;
  }

  close(): void {
    for (const file of this.files()) unwatchFile(file, this.onChange);
  }

  reload(): void {
    try {
      [this.fallback, this.byHost] = this.read();
      this.server?.setSecureContext(this.unnamed());
      this.log.info({}, "certificates read anew");
    } catch (error) {
      this.log.error({ err: error }, "certificates cannot be read; the old ones stay");
    }
  }

  private find(host: string): SecureContext {
    const name = host.toLowerCase();
    return this.byHost.get(name) ?? this.byHost.get(`*${name.slice(name.indexOf("."))}`) ?? this.fallback;
  }

  private read(): [SecureContext, Map<string, SecureContext>] {
    const byHost = new Map<string, SecureContext>();
    for (const { hosts, ...pair } of this.options.sni ?? []) {
      const context = createSecureContext(this.loadPair(pair));
      for (const host of hosts) byHost.set(host.toLowerCase(), context);
    }
    return [createSecureContext(this.loadPair(this.options)), byHost];
  }

  /** Of who names no host: `SNICallback` is not asked for it. */
  private unnamed(): SecureContextOptions {
    return {
      ...this.loadPair(this.options),
      minVersion: this.options.minVersion ?? "TLSv1.2",
      ciphers: "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:ECDHE+AESGCM:ECDHE+CHACHA20",
      honorCipherOrder: true,
    };
  }

  private loadPair({ cert, key }: Pair): SecureContextOptions {
    const { clientCa } = this.options;
    return {
      cert: this.load(cert),
      key: this.load(key),
      ...(clientCa !== undefined && { ca: this.load(clientCa) }),
    };
  }

  private load(file: string): Buffer {
    return readFileSync(resolve(this.folder, file));
  }

  private files(): string[] {
    const pairs: Pair[] = [this.options, ...(this.options.sni ?? [])];
    const { clientCa } = this.options;
    const names = pairs.flatMap(({ cert, key }) => [cert, key]);
    return [...names, ...(clientCa === undefined ? [] : [clientCa])].map((name) => resolve(this.folder, name));
  }
}
