import type { IncomingMessage } from "node:http";
import type { CappedBody } from "../core/capped-body.ts";
import { GatewayError } from "../core/errors.ts";
import type { GatewayRequest } from "../core/exchange.ts";
import { HeaderList } from "../core/headers.ts";
import { NOT_IN_TRAILERS } from "../forwarding/hop-by-hop.ts";
import { isOrdinaryField } from "./read-request.ts";

const MAX_TRAILER_BYTES = 16_384;

/** What a service decides by before it reads the body (RFC 9110 §6.5.1): after it, it is meant for who looks again. */
const NOT_AFTER_REQUEST: ReadonlySet<string> = new Set([
  ...NOT_IN_TRAILERS,
  "cookie",
  "content-location",
  "content-language",
  "content-disposition",
  "pragma",
  "range",
  "if-match",
  "if-none-match",
  "if-modified-since",
  "if-unmodified-since",
  "if-range",
  "max-forwards",
  "origin",
  "referer",
  "prefer",
  "priority",
]);

/** Takes the trailers of a request once its body is over, for who sends that on. */
export class RequestTrailers {
  private readonly incoming: IncomingMessage;
  private readonly request: GatewayRequest;
  private readonly maxFields: number;

  constructor(incoming: IncomingMessage, request: GatewayRequest, maxFields: number) {
    this.incoming = incoming;
    this.request = request;
    this.maxFields = maxFields;
  }

  static follow(body: CappedBody, incoming: IncomingMessage, request: GatewayRequest, maxFields: number): void {
    body.atEnd = new RequestTrailers(incoming, request, maxFields);
  }

  /** @throws GatewayError REQUEST_MALFORMED. ATTACKS 8 */
  onBodyEnd(): void {
    const { rawTrailers } = this.incoming;
    if (rawTrailers.length === 0) return;
    let bytes = 0;
    for (const text of rawTrailers) bytes += text.length + 2;
    if (rawTrailers.length > this.maxFields << 1 || bytes > MAX_TRAILER_BYTES) {
      throw new GatewayError("REQUEST_MALFORMED", "the trailer section is too large");
    }
    const trailers = new HeaderList(rawTrailers.slice());
    trailers.filter((name) => isOrdinaryField(name) && !NOT_AFTER_REQUEST.has(name));
    if (trailers.size > 0) this.request.trailers = trailers;
  }
}
