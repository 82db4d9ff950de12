import { parseArgs } from "node:util";
import type { Logger } from "../pipeline/contract.ts";
import { type RunningRegistry, startRegistry } from "../registry/start.ts";
import { createLogger } from "../telemetry/log.ts";
import { explainFailure } from "./failure.ts";
import { parsePort } from "./port.ts";

/** `portico registry`: the registry alone, until SIGTERM or SIGINT. */
export async function registry(args: string[]): Promise<number | undefined> {
  const log = createLogger();
  const running = await run(args, log).catch((error: Error & { code?: string }) => {
    if (error.code?.startsWith("ERR_PARSE_ARGS")) throw error;
    process.stderr.write(`the registry cannot start: ${isPlain(error) ? error.message : explainFailure(error)}\n`);
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

async function run(args: string[], log: Logger): Promise<RunningRegistry> {
  const { values } = parseArgs({
    args,
    options: {
      host: { type: "string" },
      port: { type: "string" },
      data: { type: "string" },
      etcd: { type: "string", multiple: true },
      "etcd-ca": { type: "string" },
      "etcd-cert": { type: "string" },
      "etcd-key": { type: "string" },
      "token-file": { type: "string" },
      allow: { type: "string", multiple: true },
      deny: { type: "string", multiple: true },
    },
  });
  return startRegistry({
    host: values.host,
    port: parsePort(values.port),
    data: values.data ?? "./data",
    etcd: values.etcd,
    etcdSecurity: {
      user: process.env.PORTICO_ETCD_USER || undefined,
      password: process.env.PORTICO_ETCD_PASSWORD || undefined,
      ca: values["etcd-ca"],
      cert: values["etcd-cert"],
      key: values["etcd-key"],
    },
    token: process.env.PORTICO_REGISTRY_TOKEN || undefined,
    tokenFile: values["token-file"],
    addresses: { allow: values.allow ?? [], deny: values.deny ?? [] },
    onError: (error) => log.error({ err: error }, "the registry failed"),
  });
}

/** Its message says all there is to say: a value that is wrong. */
const isPlain = (error: Error & { code?: string }): boolean => error.code === undefined && error instanceof RangeError;
