import { isObject, type Json, toObject } from "../openapi/json.ts";
import type { Spec } from "../openapi/operations.ts";

/** Where the page may ask for tokens: the origins that the specs' own OAuth flows name. */
export function tokenOrigins(specs: readonly Spec[]): string[] {
  const origins = new Set<string>();
  for (const { files, source } of specs) {
    for (const scheme of Object.values(toObject(toObject(source.components).securitySchemes))) {
      for (const flow of Object.values(toObject(files.resolve(scheme).flows))) {
        const { tokenUrl } = toObject(flow);
        if (typeof tokenUrl !== "string" || !URL.canParse(tokenUrl)) continue;
        const { protocol, origin } = new URL(tokenUrl);
        if (protocol === "https:" || protocol === "http:") origins.add(origin);
      }
    }
  }
  return [...origins];
}

/** The page knows no OpenID Connect: a token that somebody has is sent, as for any bearer. */
export function withPastedTokens(document: Json): Json {
  const components = toObject(document.components);
  const schemes = Object.entries(toObject(components.securitySchemes)).map(([name, scheme]) => {
    if (!isObject(scheme) || scheme.type !== "openIdConnect") return [name, scheme];
    const description = [scheme.description, `A token of ${String(scheme.openIdConnectUrl)}`]
      .filter(Boolean)
      .join(". ");
    return [name, { type: "http", scheme: "bearer", description }];
  });
  if (schemes.length === 0) return document;
  return { ...document, components: { ...components, securitySchemes: Object.fromEntries(schemes) } };
}
