import { GatewayError } from "../core/errors.ts";
import type { Exchange } from "../core/exchange.ts";

/**
 * What a plugin leaves behind of a request, where it hands it on: what cannot be sent to a service, or what nothing
 * further in could work with, is the fault of this plugin and of none of those.
 * @throws GatewayError PLUGIN_FAILED that says what is wrong with it
 */
export function checkRequest(plugin: string, exchange: Exchange): void {
  if (Object.isFrozen(exchange)) throw new GatewayError("PLUGIN_FAILED", `${plugin} froze the exchange`);
  // By what it can do: the plugin may have another copy of the class.
  const headers = exchange.request?.headers;
  if (typeof headers?.findUnsafe !== "function") {
    throw new GatewayError("PLUGIN_FAILED", `${plugin} left no request with a HeaderList behind`);
  }
  const unsafe = headers.findUnsafe();
  if (unsafe !== undefined) {
    throw new GatewayError("PLUGIN_FAILED", `${plugin} set the field ${JSON.stringify(unsafe)} to what cannot be sent`);
  }
}
