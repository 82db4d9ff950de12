import { ConfigError } from "../config/problem.ts";

/** Why a command could not start, for a person: no stack for what they can mend themselves. */
export function explainFailure(error: unknown): string {
  if (error instanceof ConfigError) return error.message;
  const { code, port } = error as { code?: string; port?: number };
  if (code === "EADDRINUSE") return `port ${port} is taken by another program; end it, or choose another port`;
  if (code === "EACCES" && port !== undefined) return `port ${port} needs a privilege; choose one above 1023`;
  if (code === "EADDRNOTAVAIL") return "the address of listen.host is not one of this machine's";
  if (error instanceof RangeError && code === undefined && error.message.startsWith("--")) return error.message;
  return (error as Error).stack ?? String(error);
}
