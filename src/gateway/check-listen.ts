import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { createSecureContext } from "node:tls";
import type { Config } from "../config/load.ts";
import type { Problem } from "../config/problem.ts";
import type { Path } from "../config/source.ts";

/** What is wrong with how a gateway is to listen, found before anything is opened. */
export function checkListen({ source, folder, options }: Config): Problem[] {
  const problems: Problem[] = [];
  const complain = (path: Path, message: string): void => {
    problems.push(source.problem(path, message));
  };
  const { tls, http2, redirectFrom } = options.listen ?? {};
  if (tls === undefined) {
    if (http2 === true) complain(["listen", "http2"], "listen.http2 needs listen.tls; write tls: { cert, key }");
    if (redirectFrom !== undefined) {
      complain(["listen", "redirectFrom"], "listen.redirectFrom needs listen.tls; write tls: { cert, key }");
    }
  } else {
    checkPair(tls, ["listen", "tls"], folder, complain);
    for (const [i, pair] of (tls.sni ?? []).entries()) checkPair(pair, ["listen", "tls", "sni", i], folder, complain);
  }
  return problems;
}

function checkPair(
  pair: { readonly cert: string; readonly key: string },
  at: Path,
  folder: string,
  complain: (path: Path, message: string) => void,
): void {
  const say = (name: "cert" | "key", what: string): void =>
    complain([...at, name], `${[...at, name].join(".")} is "${pair[name]}"; ${what}`);
  const read = (name: "cert" | "key"): Buffer | undefined => {
    try {
      return readFileSync(resolve(folder, pair[name]));
    } catch (error) {
      say(name, `it cannot be read (${(error as NodeJS.ErrnoException).code}); write the path of a PEM file`);
      return undefined;
    }
  };
  const [cert, key] = [read("cert"), read("key")];
  if (cert !== undefined && !isReadable(() => new X509Certificate(cert))) {
    say("cert", "it holds no certificate; write a PEM file that begins with BEGIN CERTIFICATE");
  } else if (key !== undefined && !isReadable(() => createPrivateKey(key))) {
    say("key", "it holds no private key without a password; write a PEM file that begins with BEGIN PRIVATE KEY");
  } else if (cert !== undefined && key !== undefined && !isReadable(() => createSecureContext({ cert, key }))) {
    say("key", "it is not the key of the certificate; write the one that was made with it");
  }
}

function isReadable(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch {
    return false;
  }
}
