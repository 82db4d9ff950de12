import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http2";
import { isStream } from "../../core/body.ts";
import { HeaderList } from "../../core/headers.ts";
import type { Asking } from "../asking.ts";
import { NOT_IN_TRAILERS, stripHopByHop } from "../hop-by-hop.ts";
import { checkLine, HAS_CONTENT, OWN_FIELDS, streamLength, unsendable } from "../request-line.ts";

/**
 * A request's header section (RFC 9113 §8.3.1), without the fields that would make it malformed (§8.2.2).
 * @param ownHost of the instance, for who names no other
 * @throws GatewayError PLUGIN_FAILED when a plugin has put into it what would be another request
 */
export function writeRequestFields(asking: Asking, ownHost: string): OutgoingHttpHeaders {
  const { method, target, headers, body } = asking;
  const fields: OutgoingHttpHeaders = Object.create(null);
  fields[":method"] = method;
  fields[":scheme"] = "https";
  fields[":authority"] = checkLine(asking, ownHost);
  fields[":path"] = target;
  if (headers.findUnsafe() !== undefined) throw unsendable();
  headers.forEach((_name, value, lower) => {
    if (!OWN_FIELDS.has(lower)) add(fields, lower, value);
  });
  if (asking.takesTrailers) fields.te = "trailers";
  const length = body === null ? 0 : isStream(body) ? streamLength(asking) : body.length;
  if (length > 0 || (length === 0 && (body !== null || HAS_CONTENT.has(method)))) fields["content-length"] = length;
  const announced = length < 0 ? headers.getJoined("trailer") : undefined;
  if (announced !== undefined) fields.trailer = announced;
  return fields;
}

/** The fields after a body. @throws GatewayError PLUGIN_FAILED */
export function writeTrailerFields({ trailers }: Asking): OutgoingHttpHeaders {
  const fields: OutgoingHttpHeaders = Object.create(null);
  if (trailers?.findUnsafe() !== undefined) throw unsendable();
  trailers?.forEach((_name, value, lower) => {
    add(fields, lower, value);
  });
  return fields;
}

/** One line for each name: Node refuses a second one of many (RFC 9110 §5.3; of `cookie`, RFC 9113 §8.2.3). */
function add(fields: OutgoingHttpHeaders, name: string, value: string): void {
  const before = fields[name];
  fields[name] = before === undefined ? value : `${before}${name === "cookie" ? "; " : ", "}${value}`;
}

/** @param raw name, value, name, value … in order of arrival, the pseudo-fields among them */
export function readAnswerFields(raw: readonly string[]): HeaderList {
  const flat: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string;
    if (name.charCodeAt(0) !== 0x3a) flat.push(name, raw[i + 1] as string);
  }
  const headers = new HeaderList(flat);
  stripHopByHop(headers);
  return headers;
}

export function readTrailerFields(fields: IncomingHttpHeaders): HeaderList {
  const trailers = new HeaderList();
  for (const [name, value] of Object.entries(fields)) {
    if (NOT_IN_TRAILERS.has(name)) continue;
    for (const each of [value ?? []].flat()) trailers.append(name, each);
  }
  return trailers;
}
