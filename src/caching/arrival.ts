import type { GatewayResponse } from "../core/exchange.ts";
import { HeaderList } from "../core/headers.ts";
import type { StoredAnswer } from "./answer.ts";
import type { Answering } from "./answering.ts";
import { findStorable } from "./policy.ts";
import type { RecordSource } from "./store.ts";
import { type Asked, toStoredAnswer } from "./stored-answer.ts";

/** Of a request that shows no credential: for anything else in them, no routine answer is stored in another way. */
const NOBODYS = new HeaderList();

/** A routine answer: why it may be stored is known (see `Routine`), and its record is made once it is entered. */
export class Arrival implements RecordSource, Asked {
  readonly kind = "source";
  readonly requestedAtMs: number;
  readonly seq: number;
  readonly localSeq: number;
  private readonly answering: Answering;
  private readonly key: string;
  private readonly response: GatewayResponse & { readonly body: Buffer | null };
  private readonly receivedAtMs = Date.now();

  /** @param body of the response, which nobody changes any more */
  constructor(
    answering: Answering,
    asked: Asked,
    key: string,
    { status, headers }: GatewayResponse,
    body: Buffer | null,
  ) {
    this.answering = answering;
    this.requestedAtMs = asked.requestedAtMs;
    this.seq = asked.seq;
    this.localSeq = asked.localSeq;
    this.key = key;
    // Who passes the answer on adds to its fields.
    this.response = { status, headers: headers.clone(), body };
  }

  makeRecord(): StoredAnswer | undefined {
    const { answering, response, requestedAtMs, receivedAtMs } = this;
    const { operation, operationName, options } = answering;
    const { status, body } = response;
    const storable = findStorable({
      requestHeaders: NOBODYS,
      requestDirectives: undefined,
      response,
      requestedAtMs,
      receivedAtMs,
      isPartitioned: false,
      options,
    });
    if (storable === undefined) return undefined;
    const recorded = { body, chunks: undefined, length: body?.length ?? 0 };
    const known = { key: this.key, operation: operation.id, operationName, status };
    return toStoredAnswer(NOBODYS, storable, recorded, known, this);
  }
}
