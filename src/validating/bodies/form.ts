import { findMediaType, isJson } from "../../core/media-type.ts";
import type { Encoding } from "../../core/operation.ts";
import { BAD_ENCODING, decodeForm, Malformed, type Reading } from "../parameters/decode.ts";
import { readDeepObject } from "../parameters/nested.ts";
import { type Notation, type Pair, readObject, readValues } from "../parameters/styles.ts";
import type { Shape } from "../schema/shape.ts";
import { toPointer } from "../violation.ts";
import { parseJson } from "./json.ts";
import { findNotation } from "./styled.ts";

/** Fields that a form may have: each costs an entry in a map. ATTACKS 44. */
const MAX_FIELDS = 10_000;

/**
 * A body of `application/x-www-form-urlencoded` as the object that its schema describes (OpenAPI 3.2 §4.15).
 * @param exploded members of objects that are fields of their own, by the property that they belong to
 */
export function readForm(
  text: string,
  shape: Shape,
  encodings: Readonly<Record<string, Encoding>>,
  exploded: ReadonlyMap<string, string>,
  reading: Reading,
): unknown {
  const fields = new Map<string, string[]>();
  const branches = new Map<string, Pair[]>();
  const members = new Map<string, Pair[]>();
  let count = 0;
  for (const pair of text.split("&", MAX_FIELDS + 1)) {
    if (pair === "") continue;
    if (++count > MAX_FIELDS) return new Malformed("parse", `has more than ${MAX_FIELDS} fields`);
    const equals = pair.indexOf("=");
    const name = decodeForm(equals < 0 ? pair : pair.slice(0, equals), false);
    if (name === undefined) return BAD_ENCODING;
    const value = equals < 0 ? "" : pair.slice(equals + 1);
    const owner = exploded.get(name);
    if (owner !== undefined) {
      push(members, owner, [equals < 0 ? pair : pair.slice(0, equals), value]);
      continue;
    }
    const bracket = name.indexOf("[");
    const base = bracket > 0 ? name.slice(0, bracket) : "";
    if (bracket > 0 && !shape.properties.has(name) && shape.properties.has(base)) {
      push(branches, base, [name.slice(bracket), value]);
    } else push(fields, name, value);
  }
  const form: Record<string, unknown> = Object.create(null);
  for (const [name, raws] of fields) {
    const value = readField(raws, shape.member(name), notationOf(name, encodings[name]), encodings[name], reading);
    if (value instanceof Malformed) return at(value, name);
    form[name] = value;
  }
  for (const [name, pairs] of branches) {
    const value = readDeepObject(pairs, shape.properties.get(name) as Shape, notationOf(name, undefined), reading);
    if (value instanceof Malformed) return at(value, name);
    form[name] = value;
  }
  for (const [name, pairs] of members) {
    const value = readObject(pairs, shape.properties.get(name) as Shape, notationOf(name, encodings[name]), reading);
    if (value instanceof Malformed) return at(value, name);
    // Written both ways, services would differ on which one counts.
    if (name in form) return new Malformed("duplicate", "must be given once", toPointer(name));
    form[name] = value;
  }
  return form;
}

const at = (malformed: Malformed, name: string): Malformed =>
  new Malformed(malformed.keyword, malformed.message, toPointer(name));

function push<T>(map: Map<string, T[]>, name: string, value: T): void {
  const known = map.get(name);
  if (known === undefined) map.set(name, [value]);
  else known.push(value);
}

const decode: Notation["decode"] = (text, reading) => decodeForm(text, reading.plusIsPlus);
const notationOf = (name: string, encoding: Encoding | undefined): Notation =>
  findNotation(name, encoding, decode) ?? { name, style: "form", explode: encoding?.explode ?? true, decode };

/** A field is written by its style, or in a media type: objects in JSON unless the document says otherwise. */
function readField(
  raws: readonly string[],
  shape: Shape | undefined,
  notation: Notation,
  encoding: Encoding | undefined,
  reading: Reading,
): unknown {
  if (shape === undefined) return raws.length === 1 ? notation.decode(raws[0] as string, reading) : [...raws];
  if (encoding?.style === undefined) {
    const isObjects = shape.isArray && (shape.items.isObject || shape.items.isArray) && !shape.items.isScalar;
    const isWhole = (shape.isObject && !shape.isScalar) || isJsonType(encoding?.contentType);
    if (isWhole || isObjects) {
      const values = raws.map((raw) => readJsonText(raw, notation, reading));
      const malformed = values.find((value) => value instanceof Malformed);
      if (malformed !== undefined) return malformed;
      return values.length > 1 || (shape.isArray && !Array.isArray(values[0])) ? values : values[0];
    }
  }
  return readValues(raws, shape, notation, reading);
}

const isJsonType = (type: string | undefined): boolean => {
  const media = type === undefined ? undefined : findMediaType(type);
  return media !== undefined && isJson(media);
};

function readJsonText(raw: string, notation: Notation, reading: Reading): unknown {
  const text = notation.decode(raw, reading);
  return text === undefined ? BAD_ENCODING : parseJson(Buffer.from(text));
}
