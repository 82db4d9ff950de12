#!/usr/bin/env node
import { setFlagsFromString } from "node:v8";

// What lives long while documents are read lives short afterwards, but V8 may go on allocating it among the old: from
// then on each request is kept until the next full collection, and costs half as much again. Once in some twenty starts.
setFlagsFromString("--no-allocation-site-pretenuring");

type Command = (args: string[]) => Promise<number | undefined>;

/**
 * One file a command, read when it is asked for: `start` has no use for Express. Each gets the words after its name and
 * returns the exit code, or undefined while it runs on.
 */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  start: async () => (await import("./start.ts")).start,
  check: async () => (await import("./check.ts")).check,
  init: async () => (await import("./init.ts")).init,
  demo: async () => (await import("./demo.ts")).demo,
  schema: async () => (await import("./schema.ts")).schema,
  explain: async () => (await import("./explain.ts")).explain,
  services: async () => (await import("./services.ts")).services,
  purge: async () => (await import("./purge.ts")).purge,
  "new-plugin": async () => (await import("./new-plugin.ts")).newPlugin,
  registry: async () => (await import("./registry.ts")).registry,
  "api-key": async () => (await import("./api-key.ts")).apiKey,
  consumers: async () => (await import("./consumers.ts")).consumers,
  "hash-password": async () => (await import("./hash-password.ts")).hashPasswordCommand,
};

const [name = "help", ...args] = process.argv.slice(2);
const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
const isHelp = args.includes("--help") || args.includes("-h");
if (load === undefined || isHelp) {
  const { answerAside } = await import("./aside.ts");
  process.exitCode = answerAside(load === undefined ? undefined : name, [name, ...args]);
} else {
  const command = await load();
  try {
    const code = await command(args);
    if (code !== undefined) process.exitCode = code;
  } catch (error) {
    const { explainMisuse } = await import("./aside.ts");
    process.exitCode = explainMisuse(name, error);
  }
}
