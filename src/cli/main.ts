#!/usr/bin/env node
import { apiKey } from "./api-key.ts";
import { check } from "./check.ts";
import { demo } from "./demo.ts";
import { explain } from "./explain.ts";
import { hashPasswordCommand } from "./hash-password.ts";
import { newPlugin } from "./new-plugin.ts";
import { purge } from "./purge.ts";
import { registry } from "./registry.ts";
import { schema } from "./schema.ts";
import { services } from "./services.ts";
import { start } from "./start.ts";

/** One file a command. Each gets the words after its name and returns the exit code, or undefined while it runs on. */
const commands: Readonly<Record<string, (args: string[]) => Promise<number | undefined>>> = {
  start,
  check,
  demo,
  schema,
  explain,
  purge,
  "new-plugin": newPlugin,
  registry,
  services,
  "api-key": apiKey,
  "hash-password": hashPasswordCommand,
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
  portico hash-password                              what basic-auth wants in place of the password on standard input
`;

const [name = "help", ...args] = process.argv.slice(2);
const command = commands[name];
if (command === undefined) {
  process.stderr.write(usage);
  process.exitCode = name === "help" || name === "--help" ? 0 : 2;
} else {
  const code = await command(args);
  if (code !== undefined) process.exitCode = code;
}
