import { setTimeout as delay } from "node:timers/promises";
import { GatewayError } from "../../core/errors.ts";
import type { Exchange, GatewayResponse, Handler } from "../../core/exchange.ts";
import { HeaderList } from "../../core/headers.ts";
import { findMediaType } from "../../core/media-type.ts";
import type { MediaType, Operation, Parameter, ResponseSpec, Schema } from "../../core/operation.ts";
import { accepts } from "../accept.ts";
import { findResponse } from "../response-checks.ts";
import { schemaCheck } from "../schema/check.ts";
import { isObject } from "../schema/keywords.ts";
import { type Sample, writeBody } from "./body.ts";
import type { MockOptions } from "./options.ts";
import { findPreference, type MockPreference } from "./prefer.ts";
import { findSample } from "./sample.ts";

/**
 * Answers from the spec: always where there is no service yet, else when a request asks for it.
 * @returns undefined when the route has no mocks
 */
export function createMock(
  operation: Operation,
  options: MockOptions | undefined,
  hasUpstream: boolean,
): Handler | undefined {
  if (options === undefined || options === false) return undefined;
  const { delayMs = 0, dynamic = false } = options === true ? {} : options;
  const mock = new Mock(operation, dynamic);
  return async function answerFromSpec(exchange, next) {
    const preference = findPreference(exchange.request.headers);
    if (preference === undefined && hasUpstream) return next(exchange);
    if (delayMs > 0) await delay(delayMs);
    return mock.answer(exchange, preference);
  };
}

class Mock {
  private readonly operation: Operation;
  private readonly isDynamic: boolean;
  private count = 0;

  constructor(operation: Operation, isDynamic: boolean) {
    this.operation = operation;
    this.isDynamic = isDynamic;
  }

  answer(exchange: Exchange, preference: MockPreference | undefined): GatewayResponse {
    const applied: string[] = [];
    const [status, spec] = this.chooseResponse(preference, applied);
    const headers = new HeaderList();
    const isDynamic = preference?.dynamic ?? this.isDynamic;
    if (preference?.dynamic !== undefined) applied.push(`dynamic=${preference.dynamic}`);
    const seed = isDynamic ? ++this.count * 1_000 : 1;
    for (const header of spec?.headers ?? []) this.addHeader(headers, header, seed, isDynamic);
    const media = spec && chooseContent(spec, exchange.request.headers.getJoined("accept"), preference?.example);
    let body: Buffer | null = null;
    if (media !== undefined) {
      const value = this.valueOf(media, preference, applied, seed, isDynamic);
      if (value !== undefined) {
        const written = writeBody(this.operation, media, value);
        headers.set("Content-Type", written.type);
        body = written.bytes;
      }
    }
    headers.set("Content-Length", String(body?.length ?? 0));
    if (applied.length > 0) headers.set("Preference-Applied", applied.join(", "));
    if (preference !== undefined) headers.append("Vary", "Prefer");
    return { status, headers, body: exchange.request.method === "HEAD" ? null : body };
  }

  private chooseResponse(
    preference: MockPreference | undefined,
    applied: string[],
  ): [number, ResponseSpec | undefined] {
    const { responses } = this.operation;
    const wanted = preference?.code;
    const preferred = wanted === undefined ? undefined : findResponse(this.operation, wanted);
    if (wanted !== undefined && preferred !== undefined) {
      applied.push(`code=${wanted}`);
      return [wanted, preferred];
    }
    const name = preference?.example;
    const named = [...responses].find(([, { content }]) =>
      content.some(({ examples }) => name !== undefined && examples !== undefined && Object.hasOwn(examples, name)),
    );
    const codes = [...responses.keys()].filter((code) => code !== "default").sort();
    const code =
      named?.[0] ?? codes.find((key) => key.startsWith("2")) ?? (responses.has("default") ? "default" : codes[0]);
    if (code === undefined) return [200, undefined];
    const status = code === "default" ? 200 : Number(code.replace("XX", "00"));
    return [status, responses.get(code)];
  }

  private valueOf(
    media: MediaType,
    preference: MockPreference | undefined,
    applied: string[],
    seed: number,
    isDynamic: boolean,
  ): Sample | undefined {
    const named = preference?.example === undefined ? undefined : findExample(media, preference.example);
    if (named !== undefined) applied.unshift(`example=${preference?.example}`);
    const example = named ?? (isDynamic ? undefined : findExample(media, undefined));
    if (example !== undefined) return example;
    const schema =
      media.schema ??
      (media.itemSchema === undefined ? undefined : { type: "array", minItems: 1, items: media.itemSchema });
    if (schema === undefined) return undefined;
    return this.makeUp(schema, media.type, seed, isDynamic);
  }

  /** @throws GatewayError MOCK_IMPOSSIBLE: what is not valid is never sent as if it were */
  private makeUp(schema: Schema, what: string, seed: number, isDynamic: boolean): Sample {
    const { spec, method, path } = this.operation;
    const sample = findSample(schemaCheck(spec, schema, "response"), seed, !isDynamic);
    if (sample !== undefined) return sample;
    // Without the file before it: where documents lie is nobody's business.
    const name = isObject(schema) ? /#.*$/s.exec(String(schema.$ref))?.[0] : undefined;
    const place = name === undefined ? what : `${what} (${name})`;
    const detail = `nothing valid was found for the schema of ${place} in ${method} ${path}; give it an example`;
    throw new GatewayError("MOCK_IMPOSSIBLE", detail);
  }

  private addHeader(headers: HeaderList, header: Parameter, seed: number, isDynamic: boolean): void {
    if (header.name.toLowerCase() === "content-type") return;
    let value = header.example ?? valueOfExample(Object.values(header.examples ?? {})[0])?.value;
    if (value === undefined && header.schema !== undefined && header.required) {
      ({ value } = this.makeUp(header.schema, `the header ${header.name}`, seed, isDynamic));
    }
    if (value === undefined || value === null) return;
    const text = Array.isArray(value) ? value.join(", ") : isObject(value) ? JSON.stringify(value) : String(value);
    // A field with a line end or a control character would not be one field.
    if (!/[\x00-\x08\x0a-\x1f\x7f]/.test(text)) headers.append(header.name, text);
  }
}

/** The content that the client would rather have, that has the example it asks for. */
function chooseContent(
  spec: ResponseSpec,
  accept: string | undefined,
  example: string | undefined,
): MediaType | undefined {
  const withExample = spec.content.filter(({ examples }) => example !== undefined && examples?.[example] !== undefined);
  const candidates = withExample.length > 0 ? withExample : spec.content;
  const acceptable = candidates.find(({ type }) => {
    const parsed = findMediaType(type);
    return accept === undefined || (parsed !== undefined && accepts(accept, parsed));
  });
  return acceptable ?? candidates[0];
}

/** An example of a media type: the one of a name, or the first there is. */
function findExample(media: MediaType, name: string | undefined): Sample | undefined {
  const { example, examples = {} } = media;
  if (name !== undefined) return Object.hasOwn(examples, name) ? valueOfExample(examples[name]) : undefined;
  return example !== undefined ? { value: example } : valueOfExample(Object.values(examples)[0]);
}

function valueOfExample(example: unknown): Sample | undefined {
  if (!isObject(example)) return undefined;
  for (const member of ["value", "dataValue"]) {
    if (Object.hasOwn(example, member)) return { value: example[member] };
  }
  return typeof example.serializedValue === "string" ? { value: example.serializedValue, isWritten: true } : undefined;
}
