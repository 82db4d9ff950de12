import { parseArgs } from "node:util";
import { startRegistry } from "../registry/start.ts";
import { createLogger } from "../telemetry/log.ts";

/** `portico registry`: the registry alone, until SIGTERM or SIGINT. */
export async function registry(args: string[]): Promise<number | undefined> {
  const { values } = parseArgs({
    args,
    options: {
      host: { type: "string" },
      port: { type: "string" },
      data: { type: "string" },
      etcd: { type: "string", multiple: true },
      "token-file": { type: "string" },
      allow: { type: "string", multiple: true },
      deny: { type: "string", multiple: true },
    },
  });
  const log = createLogger();
  const running = await startRegistry({
    host: values.host,
    port: values.port === undefined ? undefined : Number(values.port),
    data: values.data ?? "./data",
    etcd: values.etcd,
    token: process.env.PORTICO_REGISTRY_TOKEN || undefined,
    tokenFile: values["token-file"],
    addresses: { allow: values.allow ?? [], deny: values.deny ?? [] },
    onError: (error) => log.error({ err: error }, "the registry failed"),
  }).catch((error: Error) => {
    process.stderr.write(`the registry cannot start: ${error.message}\n`);
    return undefined;
  });
  if (running === undefined) return 1;
  process.stdout.write(`Portico registry listening on ${running.url}\n`);
  let isClosing = false;
  const stop = (): void => {
    if (isClosing) process.exit(1);
    isClosing = true;
    running.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  return undefined;
}
