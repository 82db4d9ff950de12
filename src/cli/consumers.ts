import { parseArgs } from "node:util";
import { type AdminPlace, askAdmin } from "./ask-admin.ts";
import { USAGE } from "./usage.ts";

interface Told {
  readonly name: string;
  readonly groups?: readonly string[];
  readonly credentials: readonly Credential[];
}
interface Credential {
  readonly id: string;
  readonly kind: string;
  readonly scopes?: readonly string[];
  readonly expires?: string;
}

interface Request {
  readonly method: string;
  readonly path: string;
  readonly body?: object;
  readonly write: (answer: unknown) => string;
}

/** `portico consumers …`: who the running gateway's admin API keeps, and their keys. A key is printed once, when it is made. */
export async function consumers(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      config: { type: "string" },
      url: { type: "string" },
      json: { type: "boolean" },
      group: { type: "string", multiple: true },
      quota: { type: "string", multiple: true },
      scope: { type: "string", multiple: true },
      expires: { type: "string" },
      grace: { type: "string", default: "0" },
    },
  });
  const request = toRequest(positionals, values);
  if (request === undefined) {
    process.stderr.write(USAGE.consumers);
    return 2;
  }
  const place: AdminPlace = { config: values.config, url: values.url };
  const { method, path, body, write } = request;
  const init = { method, ...(body !== undefined && { body: JSON.stringify(body) }) };
  return askAdmin(place, `/v1/consumers${path}`, init, write);
}

interface Values {
  readonly json?: boolean;
  readonly group?: string[];
  readonly quota?: string[];
  readonly scope?: string[];
  readonly expires?: string;
  readonly grace: string;
}

/** @returns undefined: the words make no request */
function toRequest(words: readonly string[], values: Values): Request | undefined {
  const [action, name = "", id = "", ...more] = words;
  const { expires, grace, group, scope } = values;
  if (more.length > 0 || (expires !== undefined && Number.isNaN(Date.parse(expires)))) return undefined;
  const time = expires === undefined ? {} : { expires: new Date(expires).toISOString() };
  if (action === "list" && name === "") {
    return { method: "GET", path: "", write: values.json === true ? toJson : toList };
  }
  if (name === "") return undefined;
  const one = `/${encodeURIComponent(name)}`;
  const credential = `${one}/credentials/${encodeURIComponent(id)}`;
  if (id === "") {
    const quotas = values.quota?.map(toQuota);
    if (action === "add" && quotas?.includes(undefined) !== true) {
      const body = { ...(group && { groups: group }), ...(quotas && { quotas }) };
      return { method: "PUT", path: one, body, write: (told) => toList([told]) };
    }
    if (action === "remove") return { method: "DELETE", path: one, write: () => "" };
    if (action !== "key") return undefined;
    const body = { apiKey: true, ...(scope && { scopes: scope }), ...time };
    return { method: "POST", path: `${one}/credentials`, body, write: toKey };
  }
  if (action === "rotate" && Number(grace) >= 0) {
    return { method: "POST", path: `${credential}/rotate`, body: { graceSeconds: Number(grace) }, write: toKey };
  }
  if (action === "expire" && expires !== undefined)
    return { method: "PATCH", path: credential, body: time, write: () => "" };
  return action === "revoke" ? { method: "DELETE", path: credential, write: () => "" } : undefined;
}

function toQuota(text: string): { limit: number; per: string } | undefined {
  const [, limit, per] = /^([1-9]\d*)\/(day|month)$/.exec(text) ?? [];
  return limit === undefined || per === undefined ? undefined : { limit: Number(limit), per };
}

const toJson = (answer: unknown): string => `${JSON.stringify(answer, undefined, 2)}\n`;

function toKey(answer: unknown): string {
  const { id, key } = answer as { id: string; key: string };
  return `${id} ${key}\n`;
}

/** A line for each consumer, and one below it for each credential. */
function toList(answer: unknown): string {
  let text = "";
  for (const { name, groups = [], credentials } of answer as readonly Told[]) {
    text += `${name}  ${groups.join(" ") || "-"}\n`;
    for (const { id, kind, scopes = [], expires = "never" } of credentials) {
      text += `  ${id}  ${kind}  ${scopes.join(" ") || "-"}  expires ${expires}\n`;
    }
  }
  return text;
}
