import { parseArgs } from "node:util";
import { ApiKeyFile } from "../storage/api-key-file.ts";
import { USAGE } from "./usage.ts";

/** `portico api-key …`: the keys of a file that gateways read. A key itself is printed once, when it is made. */
export async function apiKey(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      store: { type: "string", default: "./data/api-keys.json" },
      consumer: { type: "string" },
      group: { type: "string", multiple: true },
      scope: { type: "string", multiple: true },
      expires: { type: "string" },
      grace: { type: "string", default: "0" },
    },
  });
  const [action, id = ""] = positionals;
  const file = new ApiKeyFile(values.store);
  const { consumer, group: groups, scope: scopes, expires } = values;
  const isTime = expires === undefined || !Number.isNaN(Date.parse(expires));
  if (action === "list") {
    for (const key of file.list()) {
      const { consumer: name, expiresAt = "never" } = key;
      process.stdout.write(`${key.id}  ${name}  ${key.scopes.join(" ") || "-"}  expires ${expiresAt}\n`);
    }
    return 0;
  }
  if (action === "create" && consumer !== undefined && isTime) {
    const { key, stored } = await file.create({ consumer, groups, scopes, expiresAt: expires });
    process.stdout.write(`${stored.id} ${key}\n`);
    return 0;
  }
  if (action === "rotate" && id !== "" && Number(values.grace) >= 0) {
    const made = await file.rotate(id, Number(values.grace));
    if (made !== undefined) process.stdout.write(`${made.stored.id} ${made.key}\n`);
    return report(made !== undefined, id);
  }
  if (action === "expire" && id !== "" && expires !== undefined && isTime) {
    return report(await file.expire(id, new Date(expires)), id);
  }
  if (action === "revoke" && id !== "") return report(await file.revoke(id), id);
  process.stderr.write(USAGE["api-key"]);
  return 2;
}

function report(isDone: boolean, id: string): number {
  if (!isDone) process.stderr.write(`there is no key ${id}; portico api-key list shows them\n`);
  return isDone ? 0 : 1;
}
