import { readWhole } from "../core/body.ts";
import { channels } from "../core/channels.ts";
import { GatewayError } from "../core/errors.ts";
import type { Exchange, Handler } from "../core/exchange.ts";
import { findMediaType, isJson } from "../core/media-type.ts";
import type { MediaType, Operation, Parameter } from "../core/operation.ts";
import { type Check, lazyCheck } from "./compile.ts";
import type { ValidateOptions } from "./options.ts";
import { toPointer, type Violation } from "./violation.ts";

interface ParameterCheck {
  readonly parameter: Parameter;
  readonly check: Check | undefined;
  readonly types: ReadonlySet<string>;
}

/** Checks a request against its operation before anything is sent upstream. */
export function createRequestValidator(
  operation: Operation,
  options: ValidateOptions,
  limits: { readonly bodyBytes: number },
): Handler | undefined {
  const mode = options.request ?? "enforce";
  if (mode === "off") return undefined;
  const parameters = operation.parameters.map((parameter) => toParameterCheck(operation, parameter));
  const media = (operation.requestBody?.content ?? []).map((type) => ({
    type,
    check: type.schema === undefined ? undefined : lazyCheck(operation.spec, type.schema, "body", ""),
  }));

  return async function validateRequest(exchange, next) {
    const violations: Violation[] = [];
    if (parameters.length > 0) checkParameters(exchange, parameters, violations);
    if (operation.requestBody !== undefined) await checkBody(exchange, violations);
    if (violations.length > 0) {
      if (channels.validation.hasSubscribers) channels.validation.publish({ exchange, side: "request", violations });
      if (mode === "enforce") {
        throw new GatewayError("REQUEST_INVALID", "the request differs from the API description", {
          extensions: { violations },
        });
      }
    }
    return next(exchange);
  };

  async function checkBody(exchange: Exchange, violations: Violation[]): Promise<void> {
    const contentType = exchange.request.headers.get("content-type");
    if (exchange.request.body === null) {
      if (operation.requestBody?.required) {
        violations.push({ location: "body", pointer: "", keyword: "required", message: "a body is required" });
      }
      return;
    }
    const parsed = contentType === undefined ? undefined : findMediaType(contentType);
    const match = parsed && media.find(({ type }) => isSameMedia(type, parsed.essence));
    if (parsed === undefined || match === undefined) {
      throw new GatewayError("MEDIA_TYPE_UNSUPPORTED", `send ${media.map(({ type }) => type.type).join(" or ")}`);
    }
    if (!isJson(parsed) || match.check === undefined) return;
    const body = await readWhole(exchange.request.body, limits.bodyBytes);
    exchange.request.body = body;
    let value: unknown;
    try {
      value = JSON.parse(String(body));
    } catch (cause) {
      throw new GatewayError("BODY_MALFORMED", "the body is not JSON", { cause });
    }
    violations.push(...match.check(value));
  }
}

const isSameMedia = (type: MediaType, essence: string): boolean => {
  const declared = findMediaType(type.type);
  if (declared === undefined) return false;
  if (declared.type === "*") return true;
  return declared.subtype === "*" ? essence.startsWith(`${declared.type}/`) : declared.essence === essence;
};

function toParameterCheck(operation: Operation, parameter: Parameter): ParameterCheck {
  const { schema } = parameter;
  const location = parameter.in;
  const bundled = schema === undefined ? undefined : operation.spec.bundle(schema);
  const type = typeof bundled === "object" ? bundled.type : undefined;
  return {
    parameter,
    check: schema === undefined ? undefined : lazyCheck(operation.spec, schema, location, toPointer(parameter.name)),
    types: new Set(Array.isArray(type) ? type.map(String) : type === undefined ? [] : [String(type)]),
  };
}

function checkParameters(exchange: Exchange, checks: readonly ParameterCheck[], violations: Violation[]): void {
  const query = new URLSearchParams(exchange.request.query);
  for (const { parameter, check, types } of checks) {
    const raw = rawValues(exchange, query, parameter);
    if (raw.length === 0) {
      if (parameter.required) {
        violations.push({
          location: parameter.in,
          pointer: toPointer(parameter.name),
          keyword: "required",
          message: "is required",
        });
      }
      continue;
    }
    if (check === undefined || types.has("object")) continue;
    const first = raw[0] as string;
    const value = types.has("array")
      ? (parameter.explode && parameter.in === "query" ? raw : first.split(",")).map((item) =>
          coerce(item, new Set(["number", "boolean", "string"])),
        )
      : coerce(first, types);
    violations.push(...check(value));
  }
}

function rawValues(exchange: Exchange, query: URLSearchParams, parameter: Parameter): string[] {
  if (parameter.in === "path") return [exchange.pathParameters[parameter.name] ?? ""];
  if (parameter.in === "query") return query.getAll(parameter.name);
  if (parameter.in === "header") return exchange.request.headers.getAll(parameter.name.toLowerCase());
  return [];
}

function coerce(text: string, types: ReadonlySet<string>): unknown {
  if ((types.has("integer") || types.has("number")) && /^-?\d+(\.\d+)?([eE][-+]?\d+)?$/.test(text)) return Number(text);
  if (types.has("boolean") && (text === "true" || text === "false")) return text === "true";
  return text;
}
