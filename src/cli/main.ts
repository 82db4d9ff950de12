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

const usage = `portico: an API gateway that reads OpenAPI

  portico start [--config portico.yaml] [--port N]   run the gateway
  portico check [--config portico.yaml] [--strict]   read everything, run nothing, say what is wrong
  portico registry [--port N] [--data folder]        run a registry alone
  portico explain METHOD PATH [--host H]             what a request meets, and what the cache makes of it
  portico services [--config portico.yaml] [--json]  instances, their health and why, by the admin API
  portico purge --key|--prefix|--tag|--operation X | --all [--soft]
                                                     forget stored answers, by the admin API
  portico demo  [--config portico.yaml]              run the demo: gateway, registry and a petstore in two processes
  portico schema [--out folder]                      JSON Schemas of the configuration files, for editors
  portico new-plugin NAME [--folder plugins]         write a plugin and its test
  portico api-key create|list|rotate|expire|revoke   the keys of a file that api-key reads
  portico consumers list|add|remove|key|rotate|expire|revoke
                                                     who the admin API keeps, and their keys
  portico hash-password                              what basic-auth wants in place of the password on standard input
`;

const [name = "help", ...args] = process.argv.slice(2);
const load = commands[name];
if (load === undefined) {
  process.stderr.write(usage);
  process.exitCode = name === "help" || name === "--help" ? 0 : 2;
} else {
  const command = await load();
  const code = await command(args);
  if (code !== undefined) process.exitCode = code;
}
