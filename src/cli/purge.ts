import { parseArgs } from "node:util";
import { askAdmin } from "./ask-admin.ts";

/** `portico purge --tag red`: asks the running gateway's admin API to forget stored answers. */
export async function purge(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      config: { type: "string" },
      url: { type: "string" },
      key: { type: "string" },
      prefix: { type: "string" },
      tag: { type: "string" },
      operation: { type: "string" },
      all: { type: "boolean" },
      soft: { type: "boolean" },
    },
  });
  const { config, url, ...what } = values;
  const init = { method: "POST", body: JSON.stringify(what) };
  return askAdmin({ config, url }, "/v1/cache/purge", init, (answer) => `${JSON.stringify(answer)}\n`);
}
