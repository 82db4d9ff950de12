import { PassThrough, pipeline, type Readable, Transform } from "node:stream";
import { isStream, readWhole } from "../core/body.ts";
import { GatewayError } from "../core/errors.ts";
import type { Exchange, GatewayResponse, Handler } from "../core/exchange.ts";
import type { Operation } from "../core/operation.ts";
import { endOfItems } from "./bodies/item-boundary.ts";
import { findSequenceReader } from "./bodies/lines.ts";
import { recordFinding } from "./findings.ts";
import type { ValidateOptions } from "./options.ts";
import { type BodyChoice, ResponseChecks } from "./response-checks.ts";
import { Violations } from "./schema/check.ts";

const DEFAULT_REPORT_BYTES = 262_144;
const DEFAULT_PER_SECOND = 50;

/**
 * Checks what the service answers. `enforce` holds an answer until it is known to be right; `report` lets it go and
 * looks at a copy: some answers of each second, none that is too long, and never in front of the client.
 * @returns undefined when answers are not checked
 */
export function createResponseValidator(
  operation: Operation,
  options: ValidateOptions,
  limits: { readonly bodyBytes: number },
): Handler | undefined {
  const mode = options.response ?? "report";
  if (mode === "off" || operation.responses.size === 0) return undefined;
  const checks = new ResponseChecks(operation);
  if (mode === "enforce") return enforceWith(operation, checks, limits.bodyBytes);
  const longest = options.responseBytes ?? DEFAULT_REPORT_BYTES;
  const budget = new Budget(options.responsesPerSecond ?? DEFAULT_PER_SECOND);

  const report = (exchange: Exchange, response: GatewayResponse): GatewayResponse => {
    if (isUnchecked(response) || !budget.take()) return response;
    const violations = new Violations();
    const choice = checks.checkHead(response, violations);
    const finish = (bytes: Buffer | undefined): void => {
      // After the answer is on its way, so that nobody waits for it.
      setImmediate(() => {
        const done =
          bytes === undefined || choice === undefined
            ? undefined
            : checks.checkBody(choice, bytes, longest, violations);
        void Promise.resolve(done)
          .catch(() => violations.add("body", "", "size", "is too large to be checked"))
          .then(() => {
            if (!violations.isEmpty) recordFinding(exchange, operation, "response", violations);
          });
      });
    };
    if (choice === undefined || exchange.request.method === "HEAD") finish(undefined);
    else if (!isStream(response.body))
      finish((response.body?.length ?? 0) <= longest ? (response.body ?? EMPTY) : undefined);
    else
      response.body = copyWhilePassing(
        response.body,
        longest,
        findSequenceReader(choice.type.essence) === undefined ? undefined : choice.type.essence,
        finish,
      );
    return response;
  };
  return function reportResponse(exchange, next) {
    const answer = next(exchange);
    // Until the next second none is looked at: then nothing has to wait for this one.
    return budget.isSpent() ? answer : answer.then((response) => report(exchange, response));
  };
}

function enforceWith(operation: Operation, checks: ResponseChecks, limitBytes: number): Handler {
  return async function enforceResponse(exchange, next) {
    const response = await next(exchange);
    if (isUnchecked(response)) return response;
    const violations = new Violations();
    const choice = checks.checkHead(response, violations);
    if (violations.isEmpty && choice !== undefined && exchange.request.method !== "HEAD") {
      if (isStream(response.body) && findSequenceReader(choice.type.essence) !== undefined) {
        // A compressed one has no items that could be told apart while it flows.
        if (choice.coding === undefined)
          response.body = breakOffWhenInvalid(exchange, operation, checks, choice, response.body, limitBytes);
        return response;
      }
      response.body = await readAnswer(response, limitBytes, violations);
      if (violations.isEmpty) await checks.checkBody(choice, response.body ?? EMPTY, limitBytes, violations);
    }
    if (violations.isEmpty) return response;
    if (isStream(response.body)) response.body.destroy();
    recordFinding(exchange, operation, "response", violations);
    throw new GatewayError("RESPONSE_INVALID", "the answer differs from the API description", {
      extensions: violations.isCapped
        ? { violations: violations.list, violationsCapped: true }
        : { violations: violations.list },
    });
  };
}

const EMPTY = Buffer.alloc(0);

/** Interim answers, and those whose content is not the operation's: nothing new, or a piece. */
const isUnchecked = ({ status }: GatewayResponse): boolean => status < 200 || status === 304 || status === 206;

async function readAnswer(
  response: GatewayResponse,
  limitBytes: number,
  violations: Violations,
): Promise<Buffer | null> {
  try {
    return await readWhole(response.body, limitBytes);
  } catch (error) {
    if (!(error instanceof GatewayError) || error.code !== "BODY_TOO_LARGE") {
      throw new GatewayError("UPSTREAM_ABORTED", "the answer broke off before its end", { cause: error });
    }
    violations.add("body", "", "size", `is longer than the ${limitBytes} bytes that can be checked`);
    return null;
  }
}

/** Passes a stream on as it comes and keeps a copy of its start. @param sequence its media type, where items are told apart @param finish undefined when there is too much of it */
function copyWhilePassing(
  body: Readable,
  longest: number,
  sequence: string | undefined,
  finish: (bytes: Buffer | undefined) => void,
): Readable {
  let kept: Buffer[] | undefined = [];
  let length = 0;
  const tap = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      length += chunk.length;
      if (length <= longest) kept?.push(chunk);
      else if (kept !== undefined) {
        finish(sequence === undefined ? undefined : wholeItems(Buffer.concat(kept), sequence));
        kept = undefined;
      }
      done(null, chunk);
    },
    flush(done) {
      if (kept !== undefined) finish(Buffer.concat(kept));
      done();
    },
  });
  pipeline(body, tap, () => {});
  return tap;
}

const wholeItems = (bytes: Buffer, sequence: string): Buffer => bytes.subarray(0, endOfItems(bytes, sequence));

/** A sequence without end cannot be held back: each item is checked as it passes, and the first wrong one ends it. */
function breakOffWhenInvalid(
  exchange: Exchange,
  operation: Operation,
  checks: ResponseChecks,
  choice: BodyChoice,
  body: Readable,
  limitBytes: number,
): Readable {
  const { essence } = choice.type;
  let rest: Buffer = EMPTY;
  const checkItems = (items: Buffer): boolean => {
    const violations = new Violations();
    checks.checkItems(choice, items, violations);
    if (!violations.isEmpty) recordFinding(exchange, operation, "response", violations);
    return violations.isEmpty;
  };
  const failure = (): GatewayError => new GatewayError("RESPONSE_INVALID", "an item differs from the API description");
  const guard = new PassThrough({
    transform(chunk: Buffer, _encoding, done) {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      const end = endOfItems(rest, essence);
      const items = rest.subarray(0, end);
      rest = rest.subarray(end);
      // An item without end would be held without end.
      if (rest.length > limitBytes || (end > 0 && !checkItems(items))) done(failure());
      else done(null, items);
    },
    flush(done) {
      if (rest.length > 0 && !checkItems(rest)) done(failure());
      else done(null, rest);
    },
  });
  pipeline(body, guard, () => {});
  return guard;
}

/** So many a second and no more, however many there are. */
class Budget {
  private readonly perSecond: number;
  private left: number;
  private second = 0;

  constructor(perSecond: number) {
    this.perSecond = perSecond;
    this.left = perSecond;
  }

  isSpent(): boolean {
    return this.left <= 0 && Math.floor(performance.now() / 1000) === this.second;
  }

  take(): boolean {
    const second = Math.floor(performance.now() / 1000);
    if (second !== this.second) {
      this.second = second;
      this.left = this.perSecond;
    }
    return this.left > 0 && this.left-- > 0;
  }
}
