/**
 * Every error a client or an operator can meet: its stable code, status, title and whose fault it is.
 * `docs/errors.md` explains each; a test holds the two together.
 */
export interface ErrorSpec {
  readonly status: number;
  readonly title: string;
  readonly source: "client" | "upstream" | "gateway";
  /** Turned away on purpose before anybody is asked, as many as there are to turn away. */
  readonly isRefusal?: true;
}

export const ERRORS = {
  REQUEST_MALFORMED: { status: 400, title: "The request is not valid HTTP", source: "client" },
  PATH_REFUSED: { status: 400, title: "The request path is ambiguous", source: "client" },
  REQUEST_INVALID: { status: 400, title: "The request does not match the API description", source: "client" },
  BODY_MALFORMED: { status: 400, title: "The request body cannot be parsed", source: "client" },
  CREDENTIALS_MISSING: { status: 401, title: "Credentials missing", source: "client" },
  CREDENTIALS_INVALID: { status: 401, title: "Credentials not accepted", source: "client" },
  API_KEY_MISSING: { status: 401, title: "API key missing", source: "client" },
  API_KEY_INVALID: { status: 401, title: "API key not accepted", source: "client" },
  TOKEN_MISSING: { status: 401, title: "Bearer token missing", source: "client" },
  TOKEN_INVALID: { status: 401, title: "Bearer token not accepted", source: "client" },
  SCOPE_MISSING: { status: 403, title: "The credentials lack a required scope", source: "client" },
  FORBIDDEN: { status: 403, title: "Not allowed", source: "client" },
  QUOTA_EXCEEDED: { status: 403, title: "The registry's quota is used up", source: "client" },
  INSTANCE_UNKNOWN: { status: 404, title: "The registry has no such instance", source: "client" },
  OPERATION_UNKNOWN: { status: 404, title: "No operation has this path", source: "client" },
  METHOD_NOT_ALLOWED: { status: 405, title: "The path does not have this method", source: "client" },
  NOT_ACCEPTABLE: { status: 406, title: "No answer could be acceptable", source: "client" },
  REQUEST_TIMEOUT: { status: 408, title: "The request took too long to arrive", source: "client" },
  BODY_TOO_LARGE: { status: 413, title: "The request body is too large", source: "client" },
  MEDIA_TYPE_UNSUPPORTED: { status: 415, title: "The operation does not take this media type", source: "client" },
  EXPECTATION_FAILED: { status: 417, title: "The expectation cannot be met", source: "client" },
  HOST_UNKNOWN: { status: 421, title: "No route serves this host", source: "client" },
  ADDRESS_REFUSED: { status: 422, title: "No instance may live at this address", source: "client" },
  UPGRADE_REQUIRED: { status: 426, title: "The upgrade cannot be done this way", source: "client" },
  RATE_LIMITED: { status: 429, title: "Too many requests", source: "client" },
  CONCURRENCY_LIMITED: { status: 429, title: "Too many requests at once", source: "client" },
  HEADERS_TOO_LARGE: { status: 431, title: "The request headers are too large", source: "client" },
  IDEMPOTENCY_CONFLICT: { status: 409, title: "A request with this key is under way", source: "client" },
  IDEMPOTENCY_MISUSED: { status: 422, title: "This key was used for another request", source: "client" },
  IDEMPOTENCY_KEY_MISSING: { status: 400, title: "An Idempotency-Key is needed", source: "client" },
  FAULT_INJECTED: { status: 503, title: "A fault was injected on purpose", source: "gateway", isRefusal: true },
  CALL_QUOTA_EXCEEDED: { status: 429, title: "The quota is used up", source: "client" },
  PLUGIN_FAILED: { status: 500, title: "A plugin failed", source: "gateway" },
  INTERNAL: { status: 500, title: "The gateway failed", source: "gateway" },
  METHOD_UNKNOWN: { status: 501, title: "The method is not implemented", source: "client" },
  MOCK_IMPOSSIBLE: { status: 501, title: "No valid answer could be made up", source: "gateway" },
  CODING_UNKNOWN: { status: 501, title: "The transfer coding is not implemented", source: "client" },
  UPSTREAM_UNREACHABLE: { status: 502, title: "The upstream could not be reached", source: "upstream" },
  UPSTREAM_MALFORMED: { status: 502, title: "The upstream's answer is not valid HTTP", source: "upstream" },
  UPSTREAM_ADDRESS_REFUSED: { status: 502, title: "The instance's address is not allowed", source: "upstream" },
  UPSTREAM_ABORTED: { status: 502, title: "The upstream broke off its answer", source: "upstream" },
  RESPONSE_INVALID: {
    status: 502,
    title: "The upstream's answer does not match the API description",
    source: "upstream",
  },
  NO_INSTANCE: { status: 503, title: "No instance of the service is known", source: "upstream", isRefusal: true },
  CIRCUIT_OPEN: {
    status: 503,
    title: "The service failed too often and is left alone for a while",
    source: "upstream",
    isRefusal: true,
  },
  UPSTREAM_BUSY: {
    status: 503,
    title: "The service has all the requests it can take",
    source: "upstream",
    isRefusal: true,
  },
  AUTH_UNAVAILABLE: { status: 503, title: "Credentials cannot be checked now", source: "gateway" },
  REGISTRY_UNAVAILABLE: { status: 503, title: "The registry has lost touch with its store", source: "gateway" },
  OVERLOADED: { status: 503, title: "The gateway is overloaded", source: "gateway", isRefusal: true },
  STORE_UNAVAILABLE: { status: 503, title: "The store of limits cannot be reached", source: "gateway" },
  SHUTTING_DOWN: { status: 503, title: "The gateway is shutting down", source: "gateway", isRefusal: true },
  UPSTREAM_CONNECT_TIMEOUT: {
    status: 504,
    title: "The upstream did not accept the connection in time",
    source: "upstream",
  },
  UPSTREAM_TIMEOUT: { status: 504, title: "The upstream did not answer in time", source: "upstream" },
  UPSTREAM_BODY_TIMEOUT: { status: 504, title: "The upstream stopped in the middle of its answer", source: "upstream" },
  CACHE_ONLY_MISS: { status: 504, title: "Only a stored answer was wanted and there is none", source: "client" },
  VERSION_UNSUPPORTED: { status: 505, title: "The HTTP version is not supported", source: "client" },
  LOOP_DETECTED: {
    status: 508,
    title: "The request has been through this gateway before",
    source: "gateway",
    isRefusal: true,
  },
} as const satisfies Record<string, ErrorSpec>;

export type ErrorCode = keyof typeof ERRORS;

export interface GatewayErrorOptions {
  /** What happened underneath; logged, never shown to a client. */
  cause?: unknown;
  /** Header fields of the answer, such as `Allow` or `WWW-Authenticate`. */
  headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Further members of the problem document (RFC 9457 §3.2), such as `violations`. */
  extensions?: Readonly<Record<string, unknown>>;
}

const BRAND = Symbol.for("portico.GatewayError");

/** An answer other than the one asked for. Its `message` is shown to the client as `detail`: keep it free of secrets. */
export class GatewayError extends Error {
  /** Known by its brand, so that a plugin with a Portico of its own beside it can still refuse a request. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === "object" && value !== null && BRAND in value;
  }

  readonly [BRAND] = true;
  readonly code: ErrorCode;
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>> | undefined;
  readonly extensions: Readonly<Record<string, unknown>> | undefined;

  constructor(code: ErrorCode, detail: string, options: GatewayErrorOptions = {}) {
    // A stack costs 4 µs and says nothing of a client's mistake or of what is turned away: a flood would choose how many we take.
    const spec: ErrorSpec = ERRORS[code];
    const limit = Error.stackTraceLimit;
    if (spec.source === "client" || spec.isRefusal === true) Error.stackTraceLimit = 0;
    super(detail, options.cause === undefined ? undefined : { cause: options.cause });
    Error.stackTraceLimit = limit;
    this.name = "GatewayError";
    this.code = code;
    this.status = spec.status;
    this.headers = options.headers;
    this.extensions = options.extensions;
  }
}
