import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { GatewayError } from "../core/errors.ts";
import type { Actor } from "./registry.ts";

/** What a token may do: `service` its own instances, `operator` everybody's, `reader` nothing but read. */
export type Role = "service" | "operator" | "reader";

interface Token {
  readonly name: string;
  readonly role: Role;
}

export interface Caller extends Actor {
  readonly mayWrite: boolean;
}

/** Who may ask: the holders of a token, or, where there is none, whoever is on this machine. */
export class Access {
  /** By digest: a look-up by the hash of a secret tells nothing of it by its time. */
  private readonly tokens = new Map<string, Token>();

  /** @param options.readToken of the gateway in the same process; by itself it does not open the registry to others */
  constructor(options: {
    readonly token?: string | undefined;
    readonly tokenFile?: string | undefined;
    readonly readToken?: string | undefined;
  }) {
    if (options.token !== undefined) this.tokens.set(digestSecret(options.token), { name: "shared", role: "service" });
    if (options.tokenFile !== undefined) {
      for (const [digest, token] of readTokenFile(options.tokenFile)) this.tokens.set(digest, token);
    }
    if (this.tokens.size > 0 && options.readToken !== undefined)
      this.tokens.set(digestSecret(options.readToken), { name: "gateway", role: "reader" });
  }

  /** @throws TOKEN_MISSING, TOKEN_INVALID, FORBIDDEN */
  authenticate(request: IncomingMessage): Caller {
    if (this.tokens.size === 0) return this.loopbackOnly(request);
    const given = findToken(request.headers.authorization);
    if (given === undefined) throw refuse("TOKEN_MISSING", "send Authorization: Bearer and the registry's token");
    const token = this.tokens.get(digestSecret(given));
    if (token === undefined) throw refuse("TOKEN_INVALID", "the registry does not know this token");
    return { owner: token.name, isOperator: token.role === "operator", mayWrite: token.role !== "reader" };
  }

  /**
   * The Host is looked at too: a page of any site may give its own name the address 127.0.0.1, and a browser on this
   * machine would carry its requests here (DNS rebinding, ATTACKS 57).
   */
  private loopbackOnly(request: IncomingMessage): Caller {
    const host = (request.headers.host ?? "").replace(/:\d+$/, "");
    if (!isLoopback(request.socket.remoteAddress ?? "") || !LITERAL_HOST.test(host)) {
      throw new GatewayError("FORBIDDEN", "without a token the registry answers this machine alone; configure a token");
    }
    return { owner: undefined, isOperator: false, mayWrite: true };
  }
}

const digestSecret = (secret: string): string => createHash("sha256").update(secret).digest("base64");

const LITERAL_HOST = /^(\d{1,3}(\.\d{1,3}){3}|\[[0-9a-f:.]+\]|localhost)$/i;

export const isLoopback = (address: string): boolean =>
  address.startsWith("127.") || address === "::1" || address.startsWith("::ffff:127.");

/** Bearer, or the password of Basic: Eureka clients carry credentials in the URL. */
function findToken(authorization: string | undefined): string | undefined {
  const [, scheme, value] = /^(Bearer|Basic) +(\S+)$/i.exec(authorization ?? "") ?? [];
  if (scheme === undefined || value === undefined) return undefined;
  if (scheme.toLowerCase() === "bearer") return value;
  const pair = Buffer.from(value, "base64").toString();
  return pair.slice(pair.indexOf(":") + 1);
}

const refuse = (code: "TOKEN_MISSING" | "TOKEN_INVALID", detail: string): GatewayError =>
  new GatewayError(code, detail, { headers: { "WWW-Authenticate": 'Bearer realm="portico registry"' } });

/**
 * Lines of `name token [role]`; `#` starts a comment.
 * @throws RangeError naming file and line
 */
function readTokenFile(file: string): Map<string, Token> {
  const tokens = new Map<string, Token>();
  for (const [i, line] of readFileSync(file, "utf8").split("\n").entries()) {
    const text = line.replace(/#.*$/, "").trim();
    if (text === "") continue;
    const [name, secret, role = "service", ...rest] = text.split(/\s+/) as [string, string?, string?];
    if (secret === undefined || rest.length > 0 || !ROLES.has(role)) {
      throw new RangeError(`${file}:${i + 1} write: name token [service|operator|reader]`);
    }
    tokens.set(digestSecret(secret), { name, role: role as Role });
  }
  if (tokens.size === 0) throw new RangeError(`${file} holds no token; write lines of: name token [role]`);
  return tokens;
}

const ROLES = new Set(["service", "operator", "reader"]);
