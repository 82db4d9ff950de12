import { channels, type Fault } from "../core/channels.ts";
import { GatewayError } from "../core/errors.ts";

interface FaultLogger {
  error(fields: object, message: string): void;
}

/** An upstream that is down fails every request: so many lines a second tell it, the rest would only fill the disk. */
const LINES_PER_SECOND = 50;

/**
 * Writes what became a 5xx, with its cause and the request id that the client was shown.
 * @param gateway whose faults: others of the process write their own
 * @returns stops it
 */
export function logFaults(log: FaultLogger, gateway: string): () => void {
  let second = 0;
  let lines = 0;
  let dropped = 0;
  const onFault = (message: unknown): void => {
    const { exchange, error } = message as Fault;
    if (exchange !== undefined && exchange.gateway !== gateway) return;
    const now = Math.floor(performance.now() / 1000);
    if (now !== second) {
      if (dropped > 0) log.error({ dropped }, "further faults were not logged");
      [second, lines, dropped] = [now, 0, 0];
    }
    if (++lines > LINES_PER_SECOND) {
      dropped++;
      return;
    }
    log.error(
      {
        requestId: exchange?.id,
        code: error instanceof GatewayError ? error.code : "INTERNAL",
        operation: exchange?.operation?.id,
        instance: exchange?.endpoint?.instance.url,
        err: error,
      },
      "a request failed",
    );
  };
  channels.fault.subscribe(onFault);
  return () => void channels.fault.unsubscribe(onFault);
}
