import {
  type InnerList,
  type Item,
  isInnerList,
  parseDictionary,
  serializeInnerList,
  serializeItem,
} from "structured-headers";
import type { Exchange } from "../../src/plugin.ts";

/** One signature of a message, as its two fields describe it. */
export interface MessageSignature {
  /** The covered components, as the client lists them: `"@method"`, `"content-digest"`. */
  readonly components: readonly string[];
  readonly parameters: ReadonlyMap<string, unknown>;
  readonly signature: Buffer;
  /** What was signed (RFC 9421 §2.5). */
  readonly base: string;
}

/** @returns undefined without signature fields @throws Error that says what is wrong with them */
export function parseSignature(exchange: Exchange): MessageSignature | undefined {
  const { headers } = exchange.request;
  const [input, signature] = [headers.getJoined("signature-input"), headers.getJoined("signature")];
  if (input === undefined && signature === undefined) return undefined;
  const inputs = parseDictionary(input ?? "");
  const signatures = parseDictionary(signature ?? "");
  const [label] = inputs.keys();
  // More signatures than one would leave open which of them says who calls.
  if (label === undefined || inputs.size !== 1 || signatures.size !== 1) throw new Error("send exactly one signature");
  const covered = inputs.get(label) as InnerList | Item;
  const bytes = (signatures.get(label) as Item | undefined)?.[0];
  if (!isInnerList(covered) || !(bytes instanceof ArrayBuffer || ArrayBuffer.isView(bytes))) {
    throw new Error("Signature-Input or Signature is malformed");
  }
  const identifiers = covered[0].map((item) => serializeItem(item));
  if (new Set(identifiers).size !== identifiers.length) throw new Error("a component is covered twice");
  const lines = covered[0].map((item, i) => `${identifiers[i]}: ${componentValue(item, exchange)}`);
  return {
    components: covered[0].map(([name]) => String(name)),
    parameters: covered[1],
    signature: ArrayBuffer.isView(bytes)
      ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      : Buffer.from(bytes),
    base: [...lines, `"@signature-params": ${serializeInnerList(covered)}`].join("\n"),
  };
}

function componentValue([name, parameters]: Item, { request }: Exchange): string {
  if (typeof name !== "string") throw new Error("a component is no string");
  const allowed = name === "@query-param" ? 1 : 0;
  if (parameters.size !== allowed) throw new Error(`the parameters of ${name} are not supported`);
  switch (name) {
    case "@method":
      return request.method;
    case "@authority":
      return authorityOf(request);
    case "@scheme":
      return request.scheme;
    case "@path":
      return request.path;
    case "@query":
      return `?${request.query}`;
    case "@target-uri":
      return `${request.scheme}://${authorityOf(request)}${targetOf(request)}`;
    case "@request-target":
      return targetOf(request);
    case "@query-param":
      return queryParameter(request.query, parameters.get("name"));
  }
  if (name.startsWith("@")) throw new Error(`the component ${name} is not supported`);
  if (name !== name.toLowerCase()) throw new Error("field names are covered in lower case");
  const values = request.headers.getAll(name);
  if (values.length === 0) throw new Error(`the covered field ${name} is missing`);
  return values.map((value) => value.trim()).join(", ");
}

type Request = Exchange["request"];

const targetOf = ({ path, query }: Request): string => (query === "" ? path : `${path}?${query}`);
const authorityOf = ({ authority, scheme }: Request): string =>
  authority.replace(scheme === "https" ? /:443$/ : /:80$/, "");

function queryParameter(query: string, name: unknown): string {
  const values = new URLSearchParams(query).getAll(decodeURIComponent(String(name)));
  if (values.length !== 1) throw new Error("a covered query parameter is missing, or there twice");
  return encodeURIComponent(values[0] as string);
}
