import { parseArgs } from "node:util";
import { createGateway, type Portico } from "../runtime/portico.ts";
import { createLogger } from "../telemetry/log.ts";
import { endOnSignal } from "./ending.ts";
import { explainFailure } from "./failure.ts";
import { parsePort } from "./port.ts";
import { ConfigWatch } from "./watch.ts";

/** `portico start`: runs until SIGTERM or SIGINT; SIGHUP reads the configuration again, and so does a change of its files with `--watch`. */
export async function start(args: string[]): Promise<number | undefined> {
  const { values } = parseArgs({
    args,
    options: { config: { type: "string" }, port: { type: "string" }, watch: { type: "boolean" } },
  });
  try {
    const gateway = await createGateway({ file: values.config, port: parsePort(values.port) });
    endOnSignal(() => gateway.close({ isPatient: true }));
    // What a plugin throws where nobody waits for it ends neither the process nor the exchanges of others.
    const log = createLogger();
    process.on("uncaughtException", (error) =>
      log.error({ err: error }, "uncaught: a plugin threw where nobody waits"),
    );
    process.on("SIGHUP", () => void reload(gateway));
    if (values.watch === true) {
      const watch = new ConfigWatch(gateway, () => void reload(gateway).then(() => watch.follow()));
    }
    process.stdout.write(`Portico listening on ${await gateway.listen()}\n`);
    return undefined;
  } catch (error) {
    process.stderr.write(`${explainFailure(error)}\n`);
    return 1;
  }
}

async function reload(gateway: Portico): Promise<void> {
  try {
    await gateway.reload();
    process.stderr.write(`reloaded: ${gateway.current().routes.length} operations\n`);
  } catch (error) {
    process.stderr.write(`not reloaded, the old configuration goes on:\n${explainFailure(error)}\n`);
  }
}
