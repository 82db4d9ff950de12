import { isStream, readWhole, WHOLE_BODY_BYTES } from "../core/body.ts";
import { GatewayError } from "../core/errors.ts";
import type { Exchange, GatewayResponse, Handler, Next } from "../core/exchange.ts";
import { lazy } from "../core/lazy.ts";
import { findMediaType, type ParsedMediaType } from "../core/media-type.ts";
import type { Operation } from "../core/operation.ts";
import { createAcceptCheck } from "./accept.ts";
import { BodyPlan } from "./bodies/body-plan.ts";
import { decompress } from "./bodies/decompress.ts";
import { findCharsetRemedy } from "./bodies/kind.ts";
import { findContent, UNNAMED_TYPE } from "./bodies/media-match.ts";
import { checkWhilePassing } from "./bodies/multipart-stream.ts";
import { limitBody, tooLarge } from "./bodies/size.ts";
import { recordFinding } from "./findings.ts";
import type { ValidateOptions } from "./options.ts";
import { ParameterChecks } from "./parameters/check.ts";
import { Malformed } from "./parameters/decode.ts";
import { createDefaults } from "./parameters/defaults.ts";
import { toRefusal } from "./refusal.ts";
import { Violations } from "./schema/check.ts";

/** Checks the requests of one operation. */
export interface RequestValidator {
  readonly handler: Handler;
  /** Compiles what the first request would have to wait for. */
  prepare(): void;
}

/** @returns undefined when requests are not checked */
export function createRequestValidator(
  operation: Operation,
  options: ValidateOptions,
  limits: { readonly bodyBytes: number },
): RequestValidator | undefined {
  const mode = options.request ?? "enforce";
  if (mode === "off") return undefined;
  const { unknownQuery = "allow" } = options;
  // Of a document with a thousand operations, most are not asked for in the first second.
  const checks = lazy(() => ({
    parameters: new ParameterChecks(operation, unknownQuery !== "allow"),
    body: operation.requestBody === undefined ? undefined : new BodyChecks(operation, limits.bodyBytes),
    checkAccept: createAcceptCheck(operation),
  }));
  const addDefaults = options.defaults === true ? createDefaults(operation) : undefined;
  const isEnforced = mode === "enforce";

  function finish(exchange: Exchange, next: Next, violations: Violations): Promise<GatewayResponse> {
    checks().checkAccept?.(exchange, violations, isEnforced);
    if (!violations.isEmpty) {
      recordFinding(exchange, operation, "request", violations);
      if (isEnforced && (unknownQuery === "refuse" || violations.list.some(({ keyword }) => keyword !== "unknown"))) {
        throw toRefusal(violations);
      }
    }
    addDefaults?.(exchange.request);
    return next(exchange);
  }

  // Not async: a turn of the loop for each `await` is a tenth of what checking costs.
  function validateRequest(exchange: Exchange, next: Next): Promise<GatewayResponse> {
    try {
      const violations = new Violations();
      const { parameters, body } = checks();
      parameters.check(exchange, violations);
      const pending = body?.check(exchange, violations, isEnforced);
      if (pending === undefined) return finish(exchange, next, violations);
      return pending.then(() => finish(exchange, next, violations));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  return {
    handler: validateRequest,
    prepare() {
      const { parameters, body } = checks();
      parameters.prepare();
      body?.prepare();
    },
  };
}

/** What a Content-Type means for an operation. */
interface Fit {
  readonly contentType: string;
  readonly type: ParsedMediaType;
  readonly plan: BodyPlan;
  readonly isWhole: boolean;
  readonly canStream: boolean;
  /** Where the charset is one that cannot be read. */
  readonly charsetRemedy: string | undefined;
}

const isLong = (claimed: string | undefined): boolean => claimed === undefined || Number(claimed) > WHOLE_BODY_BYTES;

const EMPTY = Buffer.alloc(0);

class BodyChecks {
  private readonly operation: Operation;
  private readonly plans: readonly BodyPlan[];
  private readonly isRequired: boolean;
  private readonly limitBytes: number;
  private lastFit: Fit | undefined = undefined;

  constructor(operation: Operation, limitBytes: number) {
    this.operation = operation;
    this.plans = BodyPlan.all(operation, operation.requestBody?.content ?? [], "request");
    this.isRequired = operation.requestBody?.required ?? false;
    this.limitBytes = limitBytes;
  }

  prepare(): void {
    for (const plan of this.plans) plan.prepare();
  }

  /** @returns undefined when there is nothing to wait for */
  check(exchange: Exchange, violations: Violations, isEnforced: boolean): Promise<void> | undefined {
    const { request } = exchange;
    if (request.body === null) {
      if (this.isRequired) this.checkEmpty(this.findFit(request.headers.get("content-type")), violations);
      return undefined;
    }
    if (this.plans.length === 0) return undefined;
    const fit = this.findFit(request.headers.get("content-type"));
    const remedy = fit === undefined ? `send ${this.types().join(" or ")}` : fit.charsetRemedy;
    if (fit === undefined || remedy !== undefined) {
      const message = remedy as string;
      if (isEnforced) {
        throw new GatewayError("MEDIA_TYPE_UNSUPPORTED", message, { headers: { Accept: this.types().join(", ") } });
      }
      violations.add("body", "", "media-type", message);
      return undefined;
    }
    const limitBytes = isEnforced ? Math.min(this.limitBytes, fit.plan.maxBytes(fit.type)) : this.limitBytes;
    if (!fit.isWhole) {
      request.body = limitBody(request.body, request.headers, limitBytes);
      return undefined;
    }
    // Known to be too long before one byte of it is read.
    const claimed = request.headers.get("content-length");
    if (claimed !== undefined && Number(claimed) > limitBytes) throw tooLarge(limitBytes);
    if (fit.canStream && isStream(request.body) && isLong(claimed) && !request.headers.has("content-encoding")) {
      request.body = checkWhilePassing(request.body, fit.plan, fit.type, (found) => {
        recordFinding(exchange, this.operation, "request", found);
        return isEnforced;
      });
      return undefined;
    }
    return readWhole(request.body, limitBytes).then((bytes) => {
      request.body = bytes;
      return this.checkBytes(exchange, bytes, fit, limitBytes, violations);
    });
  }

  private types(): string[] {
    return this.plans.map(({ media }) => media.type);
  }

  /** No bytes are no body, but of a form: one without fields is written so. */
  private checkEmpty(fit: Fit | undefined, violations: Violations): void {
    if (fit?.plan.takesNothing(fit.type) === true) fit.plan.checkBytes(EMPTY, fit.type, violations);
    else violations.add("body", "", "required", "a body is required");
  }

  /** Clients of an operation mostly send the same type: the last one is not read again. */
  private findFit(contentType = UNNAMED_TYPE): Fit | undefined {
    if (this.lastFit?.contentType === contentType) return this.lastFit;
    const type = findMediaType(contentType);
    const plan = type && findContent(this.plans, type);
    if (type === undefined || plan === undefined) return undefined;
    this.lastFit = {
      contentType,
      type,
      plan,
      isWhole: plan.isWhole(type),
      canStream: plan.canStream(type),
      charsetRemedy: plan.isWhole(type) ? findCharsetRemedy(type) : undefined,
    };
    return this.lastFit;
  }

  /** @returns undefined when there is nothing to wait for */
  private checkBytes(
    { request }: Exchange,
    bytes: Buffer | null,
    fit: Fit,
    limitBytes: number,
    violations: Violations,
  ): Promise<void> | undefined {
    const { plan, type } = fit;
    if (bytes === null || bytes.length === 0) {
      if (this.isRequired) this.checkEmpty(fit, violations);
      return undefined;
    }
    const coding = request.headers.getJoined("content-encoding");
    if (coding === undefined) return plan.checkBeside(bytes, type, violations);
    return decompress(bytes, coding, limitBytes).then((plain) => {
      if (plain instanceof Malformed) violations.add("body", "", plain.keyword, plain.message);
      else return plan.checkBeside(plain, type, violations);
      return undefined;
    });
  }
}
