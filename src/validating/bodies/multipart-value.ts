import { findMediaType, isJson } from "../../core/media-type.ts";
import type { Encoding, Operation } from "../../core/operation.ts";
import { FIRST_READING, Malformed } from "../parameters/decode.ts";
import { checkHeader } from "../parameters/header.ts";
import { readDeepObject } from "../parameters/nested.ts";
import { ParameterPlan } from "../parameters/plan.ts";
import { type Notation, type Pair, readValues } from "../parameters/styles.ts";
import type { Violations } from "../schema/check.ts";
import { type Shape, STRING, toScalar } from "../schema/shape.ts";
import { toPointer } from "../violation.ts";
import { parseJson } from "./json.ts";
import { isCovered } from "./media-match.ts";
import type { Part } from "./multipart.ts";

/** What the `encoding` of a property says of its parts. */
export interface PartPlan {
  /** How the values of its parts are written, where `encoding` names a style. */
  readonly notation: Notation | undefined;
  readonly types: readonly string[];
  readonly headers: readonly ParameterPlan[];
}

export function partPlans(operation: Operation, encodings: Readonly<Record<string, Encoding>>): Map<string, PartPlan> {
  return new Map(
    Object.entries(encodings).map(([name, { contentType, headers, style, explode }]) => [
      name,
      {
        notation: style && { name, style, explode: explode ?? style === "form", decode: (text: string) => text },
        types: contentType === undefined ? [] : contentType.split(",").map((type) => type.trim()),
        headers: headers
          .filter((header) => header.name.toLowerCase() !== "content-type")
          .map((header) => new ParameterPlan(operation, header, "request")),
      },
    ]),
  );
}

/** The parts as the object that the schema describes; what `encoding` asks of them is checked on the way. */
export function readParts(
  parts: readonly Part[],
  shape: Shape,
  plans: ReadonlyMap<string, PartPlan>,
  violations: Violations,
): unknown {
  const value: Record<string, unknown> = Object.create(null);
  const counts = new Map<string, number>();
  const styled = new Map<string, Pair[]>();
  for (const part of parts) {
    const { name } = part;
    if (name !== undefined && addStyled(part, name, shape, plans, styled)) continue;
    if (name === undefined) return new Malformed("parse", "has a part without a name in its Content-Disposition");
    const plan = plans.get(name);
    if (plan !== undefined) checkPart(part, name, plan, violations);
    const member = shape.member(name);
    const isList = member?.isArray === true && !isJsonPart(part);
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    const item = readPart(part, isList ? member.items : member);
    if (item instanceof Malformed) return new Malformed(item.keyword, item.message, toPointer(name));
    if (isList) {
      if (count === 1) value[name] = [item];
      else (value[name] as unknown[]).push(item);
    } else if (count === 1) value[name] = item;
    else if (member?.isArray === true || member === undefined) value[name] = [value[name], item].flat();
    else return new Malformed("duplicate", "must be given once", toPointer(name));
  }
  for (const [name, pairs] of styled) {
    const member = shape.member(name) as Shape;
    const notation = plans.get(name)?.notation as Notation;
    const read =
      notation.style === "deepObject"
        ? readDeepObject(pairs, member, notation, FIRST_READING)
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
function addStyled(
  part: Part,
  name: string,
  shape: Shape,
  plans: ReadonlyMap<string, PartPlan>,
  styled: Map<string, Pair[]>,
): boolean {
  if (part.type !== undefined && part.type.type !== "text") return false;
  const bracket = name.indexOf("[");
  const base = bracket > 0 && !plans.has(name) ? name.slice(0, bracket) : name;
  const notation = plans.get(base)?.notation;
  if (notation === undefined || shape.member(base) === undefined) return false;
  if ((notation.style === "deepObject") !== base.length < name.length) return false;
  const pairs = styled.get(base) ?? [];
  pairs.push([name.slice(base.length), part.bytes.toString("utf8")]);
  styled.set(base, pairs);
  return true;
}

const isJsonPart = ({ type }: Part): boolean => type !== undefined && isJson(type);

function readPart(part: Part, shape: Shape | undefined): unknown {
  const isObject = shape?.isObject === true && !shape.isScalar;
  if (isJsonPart(part) || isObject) return parseJson(part.bytes);
  // Bytes, one character each: that is what the length of a binary string counts.
  const isBinary =
    part.fileName !== undefined || shape?.annotation("format") === "binary" || (part.type?.type ?? "text") !== "text";
  if (isBinary) return part.bytes.toString("latin1");
  return toScalar(part.bytes.toString("utf8"), shape?.types ?? STRING, false);
}

function checkPart(part: Part, name: string, plan: PartPlan, violations: Violations): void {
  const type = part.type ?? findMediaType("text/plain");
  const isAllowed = plan.types.length === 0 || plan.types.some((range) => type !== undefined && isCovered(range, type));
  if (!isAllowed) {
    violations.add("body", toPointer(name), "contentType", `must be sent as ${plan.types.join(" or ")}`);
  }
  for (const header of plan.headers) checkHeader(header, part.headers, violations);
}
