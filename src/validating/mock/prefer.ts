import type { HeaderList } from "../../core/headers.ts";

/** What a client would have a mock answer: `Prefer: code=404, example=gone, dynamic=true` (RFC 7240). */
export interface MockPreference {
  readonly code: number | undefined;
  readonly example: string | undefined;
  readonly dynamic: boolean | undefined;
}

const MEMBER = /(?:^|[,;])\s*(code|example|dynamic)\s*(?:=\s*(?:"([^"]*)"|([^\s,;"]*)))?/gi;

/** @returns undefined when the request prefers nothing of the kind */
export function findPreference(headers: HeaderList): MockPreference | undefined {
  const prefer = headers.getJoined("prefer");
  if (prefer === undefined) return undefined;
  let code: number | undefined;
  let example: string | undefined;
  let dynamic: boolean | undefined;
  for (const [, name, quoted, token] of prefer.matchAll(MEMBER)) {
    const value = quoted ?? token ?? "";
    // The first of a name counts (RFC 7240 §2).
    if (name?.toLowerCase() === "code") code ??= /^[1-5]\d\d$/.test(value) ? Number(value) : undefined;
    else if (name?.toLowerCase() === "example") example ??= value;
    else dynamic ??= value !== "false";
  }
  return code === undefined && example === undefined && dynamic === undefined ? undefined : { code, example, dynamic };
}
