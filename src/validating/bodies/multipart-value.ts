import { findMediaType, isJson } from "../../core/media-type.ts";
import type { Encoding, Operation } from "../../core/operation.ts";
import { FIRST_READING, Malformed } from "../parameters/decode.ts";
import { checkHeader } from "../parameters/header.ts";
import { readDeepObject } from "../parameters/nested.ts";
import { ParameterPlan } from "../parameters/plan.ts";
import { type Notation, type Pair, readObject, readValues } from "../parameters/styles.ts";
import type { Violations } from "../schema/check.ts";
import { type Shape, STRING, toScalar } from "../schema/shape.ts";
import { toPointer } from "../violation.ts";
import { readText } from "./charset.ts";
import { parseJson } from "./json.ts";
import { isCovered } from "./media-match.ts";
import type { Part, PartHead } from "./multipart.ts";
import { explodedMembers, findNotation } from "./styled.ts";

/** What the `encoding` of a property says of its parts. */
export interface PartPlan {
  /** How the values of its parts are written, where `encoding` names a style. */
  readonly notation: Notation | undefined;
  readonly types: readonly string[];
  readonly headers: readonly ParameterPlan[];
  /** How it is read when the part does not say its type: what the document asks for, where that is JSON. */
  readonly isJson: boolean;
}

/** The plans of the parts of one body, by name. */
export interface PartPlans {
  readonly byName: ReadonlyMap<string, PartPlan>;
  /** Members of exploded objects, which are parts of their own. */
  readonly exploded: ReadonlyMap<string, string>;
}

export const NO_PLANS: PartPlans = { byName: new Map(), exploded: new Map() };

export const partPlans = (
  operation: Operation,
  encodings: Readonly<Record<string, Encoding>>,
  shape: Shape,
): PartPlans => ({ byName: plansByName(operation, encodings), exploded: explodedMembers(shape, encodings) });

function plansByName(operation: Operation, encodings: Readonly<Record<string, Encoding>>): Map<string, PartPlan> {
  return new Map(Object.entries(encodings).map(([name, encoding]) => [name, partPlan(operation, name, encoding)]));
}

export function partPlan(operation: Operation, name: string, encoding: Encoding): PartPlan {
  const types = encoding.contentType?.split(",").map((type) => type.trim()) ?? [];
  return {
    notation: findNotation(name, encoding, (text) => text),
    types,
    isJson: types.some(isJsonType),
    headers: encoding.headers
      .filter((header) => header.name.toLowerCase() !== "content-type")
      .map((header) => new ParameterPlan(operation, header, "request")),
  };
}

const isJsonType = (type: string): boolean => {
  const media = findMediaType(type);
  return media !== undefined && isJson(media);
};

/** What describes the content of one part: of a list, its items. */
export function shapeOfPart(head: PartHead, shape: Shape, plans: PartPlans): Shape | undefined {
  const member = head.name === undefined ? undefined : shape.member(head.name);
  return isList(member) && !isJsonPart(head, plans) ? member?.items : member;
}

/** Bytes, rather than text or JSON. */
export function isFile(head: PartHead, shape: Shape | undefined, plans: PartPlans): boolean {
  if (isJsonPart(head, plans) || isCompound(shape)) return false;
  return (
    head.fileName !== undefined || shape?.annotation("format") === "binary" || (head.type?.type ?? "text") !== "text"
  );
}

const isList = (shape: Shape | undefined): boolean => shape?.isArray === true && !shape.isScalar;

/** Written in JSON where nothing says otherwise. */
const isCompound = (shape: Shape | undefined): boolean =>
  isList(shape) || (shape?.isObject === true && !shape.isScalar);

/** The parts as the object that the schema describes; what `encoding` asks of them is checked on the way. */
export function readParts(parts: readonly Part[], shape: Shape, plans: PartPlans, violations: Violations): unknown {
  const value: Record<string, unknown> = Object.create(null);
  const styled = new Map<string, Pair[]>();
  for (const part of parts) {
    const { name } = part;
    if (name === undefined) return new Malformed("parse", "has a part without a name in its Content-Disposition");
    const plan = plans.byName.get(name);
    if (plan !== undefined) checkPart(part, toPointer(name), plan, violations);
    if (addStyled(part, name, shape, plans, styled)) continue;
    const member = shape.member(name);
    const item = readPart(part, shapeOfPart(part, shape, plans), plans);
    if (item instanceof Malformed) return new Malformed(item.keyword, item.message, toPointer(name));
    const isFirst = !Object.hasOwn(value, name);
    if (member !== undefined && isList(member)) {
      // One part in JSON may hold the list or one item of it.
      const isWhole =
        Array.isArray(item) && isJsonPart(part, plans) && (!isList(member.items) || item.every(Array.isArray));
      const items = isWhole ? item : [item];
      value[name] = isFirst ? items : [value[name], items].flat();
    } else if (isFirst) value[name] = item;
    else if (member === undefined || member.isArray || member.isAnything) value[name] = [value[name], item].flat();
    else return new Malformed("duplicate", "must be given once", toPointer(name));
  }
  for (const [name, pairs] of styled) {
    const member = shape.member(name) as Shape;
    const notation = plans.byName.get(name)?.notation as Notation;
    const read =
      notation.style === "deepObject"
        ? readDeepObject(pairs, member, notation, FIRST_READING)
        : pairs.every(([inner]) => inner !== "")
          ? readObject(pairs, member, notation, FIRST_READING)
          : readValues(
              pairs.map(([, text]) => text),
              member,
              notation,
              FIRST_READING,
            );
    if (read instanceof Malformed) return new Malformed(read.keyword, read.message, toPointer(name));
    value[name] = read;
  }
  return value;
}

/** Keeps the text of a part whose `encoding` has a style: all of a name are read together. @returns false for others */
function addStyled(part: Part, name: string, shape: Shape, plans: PartPlans, styled: Map<string, Pair[]>): boolean {
  if (part.type !== undefined && part.type.type !== "text") return false;
  const bracket = name.indexOf("[");
  const owner = plans.exploded.get(name);
  if (owner !== undefined) {
    add(styled, owner, [name, part.bytes.toString("utf8")]);
    return true;
  }
  const base = bracket > 0 && !plans.byName.has(name) ? name.slice(0, bracket) : name;
  const notation = plans.byName.get(base)?.notation;
  if (notation === undefined || shape.member(base) === undefined) return false;
  if ((notation.style === "deepObject") !== base.length < name.length) return false;
  add(styled, base, [name.slice(base.length), part.bytes.toString("utf8")]);
  return true;
}

/** A text whose schema says that it holds JSON is that text, and not what it holds. */
function isJsonText(shape: Shape | undefined): boolean {
  if (shape?.types !== STRING) return false;
  const media = shape.annotation("contentMediaType");
  return typeof media === "string" && isJsonType(media);
}

function add(styled: Map<string, Pair[]>, name: string, pair: Pair): void {
  const pairs = styled.get(name);
  if (pairs === undefined) styled.set(name, [pair]);
  else pairs.push(pair);
}

const isJsonPart = ({ name, type }: PartHead, plans: PartPlans): boolean =>
  type === undefined ? name !== undefined && plans.byName.get(name)?.isJson === true : isJson(type);

export function readPart(part: Part, shape: Shape | undefined, plans: PartPlans): unknown {
  if (isJsonText(shape)) return readText(part.bytes, undefined);
  if (isJsonPart(part, plans) || isCompound(shape)) return parseJson(part.bytes);
  if (!isFile(part, shape, plans)) {
    const text = readText(part.bytes, part.type?.parameters.get("charset"));
    if (text instanceof Malformed)
      return shape === undefined || shape.isAnything ? part.bytes.toString("latin1") : text;
    return toScalar(text, shape?.types ?? STRING, false);
  }
  // Bytes, one character each: that is what the length of a binary string counts.
  const kept = part.bytes.toString("latin1");
  const least = shape?.annotation("minLength");
  // Of a long file only the beginning is kept; it was measured as it came.
  return typeof least === "number" && least > kept.length ? kept.padEnd(Math.min(least, part.length), "\0") : kept;
}

export function checkPart(part: Part, pointer: string, plan: PartPlan, violations: Violations): void {
  const type = part.type ?? findMediaType(plan.isJson ? "application/json" : "text/plain");
  const isAllowed =
    plan.types.length === 0 ||
    plan.notation !== undefined ||
    plan.types.some((range) => type !== undefined && isCovered(range, type));
  if (!isAllowed) {
    violations.add("body", pointer, "contentType", `must be sent as ${plan.types.join(" or ")}`);
  }
  for (const header of plan.headers) checkHeader(header, part.headers, violations);
}
