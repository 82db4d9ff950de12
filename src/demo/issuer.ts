import { createServer, type Server } from "node:http";
import { exportJWK, generateKeyPair, SignJWT } from "jose";

const ALGORITHMS = ["RS256", "ES256"] as const;
type Algorithm = (typeof ALGORITHMS)[number] | "HS256";

/** An identity provider as small as can be: signs tokens for the demo and publishes the keys that verify them. */
export interface Issuer {
  /** Serves `/jwks.json`. */
  readonly server: Server;
  /** A token for the petstore that lives for an hour. @param scope as `pets:write` */
  sign(algorithm: Algorithm, scope: string): Promise<string>;
}

/** @param secret the one that HS256 tokens are signed with; it is shared with the service, never published */
export async function createIssuer(secret: string): Promise<Issuer> {
  const keys = new Map<Algorithm, Parameters<SignJWT["sign"]>[0]>([["HS256", new TextEncoder().encode(secret)]]);
  const published: object[] = [];
  for (const algorithm of ALGORITHMS) {
    const { publicKey, privateKey } = await generateKeyPair(algorithm);
    keys.set(algorithm, privateKey);
    published.push({ ...(await exportJWK(publicKey)), kid: algorithm, alg: algorithm, use: "sig" });
  }
  const server = createServer((request, response) => {
    const isFound = request.url === "/jwks.json";
    response.writeHead(isFound ? 200 : 404, { "Content-Type": "application/json" });
    response.end(isFound ? JSON.stringify({ keys: published }) : "{}");
  });
  return {
    server,
    sign: (algorithm, scope) =>
      new SignJWT({ scope })
        .setProtectedHeader({ alg: algorithm, ...(algorithm !== "HS256" && { kid: algorithm }) })
        .setSubject("ada")
        .setAudience("petstore")
        .setIssuedAt()
        .setExpirationTime("1h")
        .sign(keys.get(algorithm) as NonNullable<ReturnType<typeof keys.get>>),
  };
}
