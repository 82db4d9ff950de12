import { parseArgs } from "node:util";
import { ConfigError } from "../config/problem.ts";
import { createGateway, type Portico } from "../runtime/portico.ts";

/** `portico start`: runs until SIGTERM or SIGINT. */
export async function start(args: string[]): Promise<number | undefined> {
  const { values } = parseArgs({ args, options: { config: { type: "string" }, port: { type: "string" } } });
  let gateway: Portico;
  try {
    gateway = await createGateway({
      file: values.config,
      port: values.port === undefined ? undefined : Number(values.port),
    });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 1;
  }
  process.stdout.write(`Portico listening on ${await gateway.listen()}\n`);
  let isClosing = false;
  const stop = (): void => {
    if (isClosing) process.exit(1);
    isClosing = true;
    gateway.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  return undefined;
}
