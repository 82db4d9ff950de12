import { GatewayError } from "../core/errors.ts";
import { HeaderList } from "../core/headers.ts";

/** What a plugin threw as the client gets it: a refusal of its own, or a 500 that says no more than whose fault it is. */
export function toFailure(plugin: string, error: unknown): GatewayError {
  if (!(error instanceof GatewayError)) {
    return new GatewayError("PLUGIN_FAILED", `${plugin} failed; the log says why`, { cause: error });
  }
  const unsafe = error.headers === undefined ? undefined : findUnsafe(error.headers);
  if (unsafe === undefined) return error;
  const detail = `${plugin} refused with the field ${JSON.stringify(unsafe)}, which cannot be sent`;
  return new GatewayError("PLUGIN_FAILED", detail, { cause: error });
}

function findUnsafe(fields: NonNullable<GatewayError["headers"]>): string | undefined {
  const headers = new HeaderList();
  for (const name of Object.keys(fields)) {
    for (const value of [fields[name] ?? []].flat()) headers.append(name, value);
  }
  return headers.findUnsafe();
}
