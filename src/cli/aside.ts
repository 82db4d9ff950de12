import { readFileSync } from "node:fs";
import { findNearest } from "../core/nearest.ts";
import { explainFailure } from "./failure.ts";
import { OVERVIEW, USAGE } from "./usage.ts";

const usageOf = (name: string): string => (Object.hasOwn(USAGE, name) ? USAGE[name as keyof typeof USAGE] : OVERVIEW);

/**
 * Answers what asks for no work: help, the version, and words that are no command.
 * @param command whose help is asked for
 * @returns the exit code
 */
export function answerAside(command: string | undefined, [first = "help", second = ""]: readonly string[]): number {
  if (command !== undefined) process.stdout.write(usageOf(command));
  else if (["help", "--help", "-h"].includes(first)) process.stdout.write(usageOf(second));
  else if (first === "--version" || first === "-v" || first === "version") process.stdout.write(`${readVersion()}\n`);
  else {
    const meant = findNearest(first, Object.keys(USAGE));
    const hint = meant === undefined ? "" : `; did you mean ${meant}?`;
    process.stderr.write(`${first} is not a command${hint}\n\n${OVERVIEW}`);
    return 2;
  }
  return 0;
}

/** Says why a command failed before it could say so itself. @returns the exit code: 2 when its words were wrong */
export function explainMisuse(name: string, error: unknown): number {
  const { code = "", message } = error as Error & { code?: string };
  if (!code.startsWith("ERR_PARSE_ARGS")) {
    process.stderr.write(`${explainFailure(error)}\n`);
    return 1;
  }
  process.stderr.write(`portico ${name}: ${message.replace(/\. To specify.*$/s, "")}\n\n${usageOf(name)}`);
  return 2;
}

/** From the package: beside `src`, and above `dist/src`. */
function readVersion(): string {
  for (const place of ["../../package.json", "../../../package.json"]) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL(place, import.meta.url), "utf8"));
      if (name === "portico") return version;
    } catch {
      // The other place, then.
    }
  }
  return "unknown";
}
