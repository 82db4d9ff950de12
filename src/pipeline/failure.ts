import { GatewayError } from "../core/errors.ts";

/** What a plugin threw as the client gets it: a refusal of its own, or a 500 that says no more than whose fault it is. */
export const toFailure = (plugin: string, error: unknown): GatewayError =>
  error instanceof GatewayError
    ? error
    : new GatewayError("PLUGIN_FAILED", `${plugin} failed; the log says why`, { cause: error });
