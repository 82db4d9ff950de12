import { parseArgs } from "node:util";
import { loadConfig } from "../config/load.ts";

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
  const { admin } = (await loadConfig({ file: config })).config.options;
  const base = url ?? `http://${admin?.host ?? "127.0.0.1"}:${admin?.port ?? 8081}`;
  try {
    const response = await fetch(`${base}/v1/cache/purge`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${admin?.token ?? ""}` },
      body: JSON.stringify(what),
    });
    const answer = (await response.json()) as { detail?: string };
    if (response.ok) process.stdout.write(`${JSON.stringify(answer)}\n`);
    else process.stderr.write(`refused (${response.status}): ${answer.detail}\n`);
    return response.ok ? 0 : 1;
  } catch (error) {
    const { code } = ((error as Error).cause ?? {}) as { code?: string };
    process.stderr.write(
      `no admin API answers at ${base} (${code ?? (error as Error).message}); is the gateway running?\n`,
    );
    return 1;
  }
}
