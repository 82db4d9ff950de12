import { type Exchange, type HeaderList, Type } from "../../src/plugin.ts";
import { escapeHeader } from "./escape.ts";
import { compileTemplate } from "./template.ts";

const Fields = Type.Record(Type.String(), Type.String());

export const HeaderChanges = Type.Object(
  {
    rename: Type.Optional(Type.Record(Type.String(), Type.String(), { description: "Old name to new name." })),
    remove: Type.Optional(Type.Array(Type.String(), { description: "Names; a trailing * stands for any ending." })),
    set: Type.Optional({ ...Fields, description: "Replaces the field, or makes it." }),
    add: Type.Optional({ ...Fields, description: "Adds a field line beside those there are." }),
    default: Type.Optional({ ...Fields, description: "Only where the field is missing." }),
  },
  { additionalProperties: false },
);
export type HeaderChanges = Type.Static<typeof HeaderChanges>;

/** Framing and connection are the gateway's: a value here would tell the next hop a wrong length. */
const FRAMING = new Set([
  "connection",
  "content-length",
  "transfer-encoding",
  "upgrade",
  "te",
  "trailer",
  "keep-alive",
]);
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/**
 * Changes to header fields in the order rename, remove, set, add, default. A field whose template lacks a value is left as it is.
 * @throws RangeError naming a field that cannot be changed
 */
export function compileHeaderChanges(changes: HeaderChanges): (headers: HeaderList, exchange: Exchange) => void {
  const renames = Object.entries(changes.rename ?? {}).map(
    ([from, to]) => [checked(from).toLowerCase(), checked(to)] as const,
  );
  const isRemoved = compileRemoval(changes.remove ?? []);
  const set = compileFields(changes.set);
  const add = compileFields(changes.add);
  const fallback = compileFields(changes.default);
  return (headers, exchange) => {
    for (const [from, to] of renames) {
      const values = headers.getAll(from);
      headers.delete(from);
      for (const value of values) headers.append(to, value);
    }
    if (isRemoved !== undefined) headers.filter((name) => !isRemoved(name));
    for (const { name, read } of set) {
      const value = read(exchange);
      if (value !== undefined) headers.set(name, value);
    }
    for (const { name, read } of add) {
      const value = read(exchange);
      if (value !== undefined) headers.append(name, value);
    }
    for (const { name, lower, read } of fallback) {
      const value = headers.has(lower) ? undefined : read(exchange);
      if (value !== undefined) headers.append(name, value);
    }
  };
}

const compileFields = (
  fields: Record<string, string> | undefined,
): { name: string; lower: string; read: ReturnType<typeof compileTemplate> }[] =>
  Object.entries(fields ?? {}).map(([name, text]) => ({
    name: checked(name),
    lower: name.toLowerCase(),
    read: compileTemplate(text, escapeHeader),
  }));

function compileRemoval(names: readonly string[]): ((lowerName: string) => boolean) | undefined {
  if (names.length === 0) return undefined;
  const lower = names.map((name) => name.toLowerCase());
  const exact = new Set(lower.filter((name) => !name.endsWith("*")).map(checked));
  const starts = lower.filter((name) => name.endsWith("*")).map((name) => name.slice(0, -1));
  return (name) => exact.has(name) || (starts.some((start) => name.startsWith(start)) && !FRAMING.has(name));
}

function checked(name: string): string {
  if (!NAME.test(name)) throw new RangeError(`${name} is not the name of a header field`);
  if (FRAMING.has(name.toLowerCase())) throw new RangeError(`${name} belongs to the connection; it cannot be changed`);
  return name;
}
