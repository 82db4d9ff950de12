import type { ParameterStyle } from "../../core/operation.ts";
import { parseJson } from "../bodies/json.ts";
import { type Shape, STRING, toScalar } from "../schema/shape.ts";
import { BAD_ENCODING, Malformed, type Reading } from "./decode.ts";

/** How the values of one parameter are written (OpenAPI 3.2 §4.12.6, RFC 6570). */
export interface Notation {
  readonly name: string;
  readonly style: ParameterStyle;
  readonly explode: boolean;
  /** Percent-decodes one piece. @returns undefined when it cannot be decoded */
  readonly decode: (text: string, reading: Reading) => string | undefined;
}

/** A name and its value, both still encoded. */
export type Pair = readonly [name: string, value: string];

export const NOT_DEEP = new Malformed("style", "must be written as name[member]=value (style deepObject)");
/** Several values for one that should stand alone. */
export const REPEATED = new Malformed("duplicate", "must be given once");

/** Reads the values that a parameter was given: one, or one for each time that its name was repeated. */
export function readValues(raws: readonly string[], shape: Shape, notation: Notation, reading: Reading): unknown {
  const first = raws[0] as string;
  // Of what the schema says nothing, a list is one thing that it can be.
  const isList = shape.isAnything
    ? raws.length > 1 && isRepeated(notation)
    : shape.isArray && (!shape.isScalar || raws.length > 1 || reading.asList || isListText(first, notation));
  if (isList) return readItems(raws, shape, notation, reading);
  if (raws.length > 1) return REPEATED;
  if (shape.isObject && !shape.isScalar) return readPairs(first, shape, notation, reading);
  const text = stripPrefix(first, notation);
  if (text instanceof Malformed) return text;
  const decoded = notation.decode(text, reading);
  return decoded === undefined ? BAD_ENCODING : toScalar(decoded, shape.types, reading.asText);
}

const isListText = (text: string, { explode, style }: Notation): boolean =>
  !(explode && style === "form") && text.includes(separatorOf(style));

function readItems(raws: readonly string[], shape: Shape, notation: Notation, reading: Reading): unknown {
  const areRepeated = isRepeated(notation);
  // Of two lists, each already a list, services differ on which one counts.
  if (raws.length > 1 && !areRepeated) return REPEATED;
  const pieces = areRepeated ? raws : split(raws[0] as string, false, notation, reading);
  if (pieces instanceof Malformed) return pieces;
  const { items: each } = shape;
  const items: unknown[] = new Array(pieces.length);
  for (let i = 0; i < pieces.length; i++) {
    const text = notation.decode(pieces[i] as string, reading);
    if (text === undefined) return BAD_ENCODING;
    items[i] = toItem(text, each, reading.asText);
  }
  // An empty list and a list of one empty text are written alike.
  if (items.length === 1 && items[0] === "" && ((each.types & STRING) === 0 || reading.asText)) return [];
  return items;
}

/** `color=blue&color=black`: each item stands in a value of its own. */
const isRepeated = ({ style, explode }: Notation): boolean =>
  explode && (style === "form" || style === "cookie" || style === "spaceDelimited" || style === "pipeDelimited");

function readPairs(raw: string, shape: Shape, notation: Notation, reading: Reading): unknown {
  // `filter=`, and `filter` alone, are all that there is of an object without members.
  if (notation.style === "deepObject") return raw === "" ? Object.create(null) : NOT_DEEP;
  const pieces = split(raw, true, notation, reading);
  if (pieces instanceof Malformed) return pieces;
  const pairs: Pair[] = [];
  if (notation.explode) {
    for (const piece of pieces) {
      const equals = piece.indexOf("=");
      if (equals < 0) return new Malformed("style", "must be written as name=value");
      pairs.push([piece.slice(0, equals), piece.slice(equals + 1)]);
    }
  } else {
    if (pieces.length === 1 && pieces[0] === "") return Object.create(null);
    if (pieces.length % 2 === 1) return new Malformed("style", "must be written as name,value,name,value");
    for (let i = 0; i < pieces.length; i += 2) pairs.push([pieces[i] as string, pieces[i + 1] as string]);
  }
  return readObject(pairs, shape, notation, reading);
}

/** An object from its members, each still encoded. It has no prototype: `__proto__` is a name like any other. */
export function readObject(pairs: readonly Pair[], shape: Shape, notation: Notation, reading: Reading): unknown {
  const object: Record<string, unknown> = Object.create(null);
  for (const [rawName, rawValue] of pairs) {
    const name = notation.decode(rawName, reading);
    const text = notation.decode(rawValue, reading);
    if (name === undefined || text === undefined) return BAD_ENCODING;
    const member = shape.member(name);
    const isList = member?.isArray === true && (!member.isScalar || name in object || reading.asList);
    const value = member === undefined ? text : toItem(text, isList ? member.items : member, reading.asText);
    if (!isList) {
      if (name in object && member?.isAnything !== true)
        return new Malformed("duplicate", `must give ${shape.properties.has(name) ? name : "each member"} once`);
      object[name] = name in object ? [object[name], value].flat() : value;
    } else if (Array.isArray(object[name])) object[name].push(value);
    else object[name] = name in object ? [object[name], value] : [value];
  }
  return object;
}

/** One value of a list or an object. No style writes a list or an object within: what senders write there is JSON. */
function toItem(text: string, shape: Shape, asText: boolean): unknown {
  if (shape.isScalar || !/^[[{]/.test(text)) return toScalar(text, shape.types, asText);
  const value = parseJson(Buffer.from(text));
  return value instanceof Malformed ? text : value;
}

const separatorOf = (style: ParameterStyle): string =>
  style === "spaceDelimited" ? "%20" : style === "pipeDelimited" ? "|" : style === "tabDelimited" ? "%09" : ",";

/** A value without what its style puts before it: `.` of label, `;name=` of matrix. */
function stripPrefix(raw: string, { style, name }: Notation): string | Malformed {
  if (style === "label") {
    return raw.startsWith(".") ? raw.slice(1) : new Malformed("style", "must start with a dot (style label)");
  }
  if (style !== "matrix") return raw;
  if (raw === `;${name}`) return "";
  return raw.startsWith(`;${name}=`)
    ? raw.slice(name.length + 2)
    : new Malformed("style", `must start with ;${name}= (style matrix)`);
}

/** @returns the pieces, still encoded */
function split(raw: string, areMembers: boolean, notation: Notation, reading: Reading): readonly string[] | Malformed {
  const { style, explode, name } = notation;
  if (style === "matrix" && explode) return splitMatrix(raw, areMembers ? undefined : name);
  const text = stripPrefix(raw, notation);
  if (text instanceof Malformed) return text;
  if (style === "label" && explode) return text.split(".");
  if (style === "spaceDelimited") return text.split(/%20|\+| /);
  if (style === "pipeDelimited") return text.split(/\||%7[Cc]/);
  if (style === "tabDelimited") return text.split(/%09|\t/);
  if (reading.splitDecoded && !text.includes(",")) return splitLoosely(text, notation, reading);
  return style === "simple" && text.includes(", ") ? text.split(",").map((piece) => piece.trim()) : text.split(",");
}

/**
 * Without one comma: many clients encode the commas that they mean as separators, and the tables of 3.0.0 to 3.0.3 part
 * the items of a label by dots.
 */
function splitLoosely(text: string, notation: Notation, reading: Reading): readonly string[] | Malformed {
  if (notation.style === "label" && text.includes(".")) return text.split(".");
  const decoded = notation.decode(text, reading);
  if (decoded === undefined) return BAD_ENCODING;
  if (decoded === text) return [text];
  return decoded.split(",").map((piece) => piece.replaceAll("%", "%25").replaceAll("+", "%2B"));
}

/** `;color=blue;color=black`, or `;R=100;G=200` for an object. @param name that each piece must have */
function splitMatrix(raw: string, name: string | undefined): readonly string[] | Malformed {
  if (!raw.startsWith(";")) return new Malformed("style", "must start with a semicolon (style matrix)");
  const pieces = raw.slice(1).split(";");
  if (name === undefined) return pieces;
  const values: string[] = [];
  for (const piece of pieces) {
    if (piece !== name && !piece.startsWith(`${name}=`)) {
      return new Malformed("style", `must be written as ;${name}=item;${name}=item (style matrix)`);
    }
    values.push(piece.slice(name.length + 1));
  }
  return values;
}
