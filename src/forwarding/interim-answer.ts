import type { ServerResponse } from "node:http";
import type { Http2ServerResponse } from "node:http2";
import type { Exchange } from "../core/exchange.ts";
import type { HeaderList } from "../core/headers.ts";

/**
 * Passes an interim answer on to the client (RFC 9110 §15.2): 102 and 103. A 100 is the gateway's own to send, and others
 * have no meaning that Node could write. Those who wait for another's fetch are told nothing.
 */
export function passInterim({ outgoing, request }: Exchange, status: number, headers: HeaderList): void {
  if (outgoing === undefined || outgoing.headersSent || request.httpVersion === "1.0") return;
  try {
    if (status === 103) outgoing.writeEarlyHints(toRecord(headers));
    else if (status === 102) writeProcessing(outgoing);
  } catch {
    // Node takes only well-formed Link values; a hint that is not one is no loss.
  }
}

/** Over HTTP/2 Node's answer has no word for it. */
function writeProcessing(outgoing: ServerResponse | Http2ServerResponse): void {
  if ("writeProcessing" in outgoing) outgoing.writeProcessing();
  else outgoing.stream.additionalHeaders({ ":status": 102 });
}

function toRecord(headers: HeaderList): Record<string, string | string[]> {
  const record: Record<string, string | string[]> = Object.create(null);
  headers.forEach((_name, value, lower) => {
    const before = record[lower];
    record[lower] = before === undefined ? value : [before, value].flat();
  });
  return record;
}
