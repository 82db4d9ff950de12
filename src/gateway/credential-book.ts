import { hash } from "node:crypto";
import type { ConsumerOptions, CredentialOptions } from "../config/consumer-options.ts";
import {
  type CredentialBook,
  type CredentialKind,
  certificateName,
  type KnownCredential,
  tokenIdentifier,
} from "../core/credentials.ts";
import { parsePasswordHash } from "../core/password.ts";

/** Credentials of consumers by what a request shows of them. */
export class Credentials implements CredentialBook {
  version = 0;
  /** By consumer, so that one of them can be changed alone. */
  private readonly byConsumer = new Map<string, ReadonlyMap<string, KnownCredential>>();
  private readonly byIdentifier = new Map<string, KnownCredential>();
  private readonly isOpen: boolean;

  /** @param isOpen while the gateway runs, consumers may be given any kind of credential */
  constructor(isOpen: boolean) {
    this.isOpen = isOpen;
  }

  has(kind: CredentialKind): boolean {
    return this.isOpen || [...this.byIdentifier.keys()].some((key) => key.startsWith(`${kind} `));
  }

  find(kind: CredentialKind, identifier: string): KnownCredential | undefined {
    return this.byIdentifier.get(`${kind} ${identifier}`);
  }

  /**
   * Those of a consumer, ready to be {@link set}.
   * @throws Error that says which of them is none, or is another consumer's already
   */
  read(name: string, { credentials = [] }: Pick<ConsumerOptions, "credentials">): ReadonlyMap<string, KnownCredential> {
    const read = new Map<string, KnownCredential>();
    for (const [i, options] of credentials.entries()) {
      try {
        const [key, known] = toKnown(name, options);
        const holder = this.byIdentifier.get(key)?.consumer.name ?? name;
        if (holder !== name || read.has(key)) throw new Error(`it is a credential of ${holder} already`);
        read.set(key, known);
      } catch (error) {
        throw new Error(`credentials.${i}: ${(error as Error).message}`, { cause: error });
      }
    }
    return read;
  }

  /** In place of those that the consumer had. */
  set(name: string, credentials: ReadonlyMap<string, KnownCredential> | undefined): void {
    for (const key of this.byConsumer.get(name)?.keys() ?? []) this.byIdentifier.delete(key);
    this.byConsumer.delete(name);
    if (credentials !== undefined) {
      this.byConsumer.set(name, credentials);
      for (const [key, known] of credentials) this.byIdentifier.set(key, known);
    }
    this.version++;
  }
}

const DIGEST = /^sha256:([0-9a-fA-F]{64})$/;

function toKnown(name: string, options: CredentialOptions): [string, KnownCredential] {
  const { apiKey, password, username = name, token, certificate, scopes = [], expires } = options;
  const given = [apiKey, password, token, certificate].filter((each) => each !== undefined);
  if (given.length !== 1) throw new Error("write one of apiKey, password, token and certificate");
  const expiresAtMs = expires === undefined ? Number.POSITIVE_INFINITY : Date.parse(expires);
  if (Number.isNaN(expiresAtMs)) throw new Error(`expires is "${expires}"; write a date such as 2027-01-31`);
  if (password !== undefined) parsePasswordHash(password);
  const known = { consumer: { name, scopes: new Set(scopes) }, secret: password, expiresAtMs };
  if (apiKey !== undefined) return [`api-key ${digestOf(apiKey)}`, known];
  if (token !== undefined) return [`token ${tokenIdentifier(token.issuer, token.subject)}`, known];
  if (certificate !== undefined) return [`certificate ${certificateName(certificate)}`, known];
  return [`password ${username}`, known];
}

const digestOf = (key: string): string => DIGEST.exec(key)?.[1]?.toLowerCase() ?? hash("sha256", key, "hex");
