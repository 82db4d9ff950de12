import type { GatewayResponse } from "../core/exchange.ts";
import { FieldGroup } from "../core/field-group.ts";
import type { HeaderList } from "../core/headers.ts";
import type { CacheOptions } from "./options.ts";
import { CREDENTIALS, type Storable } from "./policy.ts";

/** What else an answer may say that bears on whether it may be stored. */
const TELLING = new FieldGroup("set-cookie", "vary", "pragma", "expires", "cdn-cache-control");

/**
 * Why an answer of an operation was stored the last time: most say the same again, word for word. Then it is known at once
 * that such an answer may be stored, and as what can be found later.
 */
export class Routine {
  private readonly isOff: boolean;
  /** 0: nothing was learned yet. */
  private status = 0;
  private cacheControl: string | undefined = undefined;

  constructor({ heuristic }: CacheOptions) {
    this.isOff = heuristic === true;
  }

  /** @param headers of a request without directives, whose answer would be stored for everybody */
  covers(response: GatewayResponse, headers: HeaderList): boolean {
    return (
      response.status === this.status &&
      isPlain(response, headers) &&
      response.headers.getJoined("cache-control") === this.cacheControl
    );
  }

  /** @param storable as what the answer to such a request was stored */
  learn(response: GatewayResponse, headers: HeaderList, { freshness }: Storable): void {
    const { status } = response;
    if (this.isOff || status >= 400 || freshness.alwaysAsk || freshness.freshUntilMs <= freshness.bornAtMs) return;
    if (!isPlain(response, headers)) return;
    this.status = status;
    this.cacheControl = response.headers.getJoined("cache-control");
  }
}

const isPlain = (response: GatewayResponse, headers: HeaderList): boolean =>
  response.isUntilClose !== true && !response.headers.hasAnyOf(TELLING) && !headers.hasAnyOf(CREDENTIALS);
