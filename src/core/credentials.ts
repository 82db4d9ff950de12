import type { Consumer } from "./exchange.ts";

export type CredentialKind = "api-key" | "password" | "token" | "certificate";

/** A credential that a consumer has been given. */
export interface KnownCredential {
  readonly consumer: Consumer;
  /** The hash of a password; undefined where to know the identifier is to have the credential. */
  readonly secret: string | undefined;
  /** Infinity: it does not end. */
  readonly expiresAtMs: number;
}

/** The credentials of the consumers that the configuration and the admin API name, found by what a request shows. */
export interface CredentialBook {
  /** Another number after each change: what has been remembered of a credential counts no longer. */
  readonly version: number;
  /** Whether a consumer has such a credential, or may be given one while the gateway runs. */
  has(kind: CredentialKind): boolean;
  /**
   * @param identifier api-key: its SHA-256 in hex; password: the name; token: {@link tokenIdentifier};
   *   certificate: {@link certificateName}
   */
  find(kind: CredentialKind, identifier: string): KnownCredential | undefined;
}

/** Of whom a token speaks: a subject is unique for its issuer alone, and the length says where that ends. */
export const tokenIdentifier = (issuer: string, subject: string): string => `${issuer.length} ${issuer} ${subject}`;

/** `dns:Ada.Example` and `sha256:AB:CD…` in the one form in which they are compared. */
export function certificateName(name: string): string {
  const colon = name.indexOf(":");
  const [kind, value] = [name.slice(0, colon), name.slice(colon + 1)];
  if (kind === "sha256") return `sha256:${value.replaceAll(":", "").toLowerCase()}`;
  return kind === "dns" ? `dns:${value.toLowerCase()}` : name;
}
