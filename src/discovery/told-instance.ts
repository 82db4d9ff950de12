import type { Instance } from "../core/upstream.ts";

/**
 * An instance as a person or another program wrote it: a URL, or an object with one.
 * @param id where the value has none
 * @returns undefined for what names no usable URL
 */
export function findInstance(value: unknown, id?: string): Instance | undefined {
  const told = typeof value === "string" ? { url: value } : (value as Partial<Instance> | null);
  const url = told?.url;
  if (typeof url !== "string" || !/^https?:\/\//.test(url) || !URL.canParse(url)) return undefined;
  const { weight, status, zone, version, tags, metadata, unconfirmed } = told as Partial<Instance>;
  return {
    id: typeof told?.id === "string" ? told.id : (id ?? url),
    url,
    weight: typeof weight === "number" && weight >= 0 ? weight : 1,
    status: status === "draining" || status === "down" ? status : "up",
    zone: typeof zone === "string" ? zone : undefined,
    version: typeof version === "string" ? version : undefined,
    tags: Array.isArray(tags) ? tags.map(String) : undefined,
    metadata: typeof metadata === "object" ? (metadata ?? undefined) : undefined,
    unconfirmed: unconfirmed === true ? true : undefined,
  };
}
