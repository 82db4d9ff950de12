import type { Encoding } from "../../core/operation.ts";
import type { Notation } from "../parameters/styles.ts";
import type { Shape } from "../schema/shape.ts";

type Encodings = Readonly<Record<string, Encoding>>;

/**
 * How the values of a property are written where its `encoding` asks for a style: one of style, explode and allowReserved is enough to
 * leave its media type (OpenAPI 3.2 §4.15.1.2).
 */
export function findNotation(
  name: string,
  encoding: Encoding | undefined,
  decode: Notation["decode"],
): Notation | undefined {
  if (encoding === undefined) return undefined;
  const { style, explode, contentType, allowReserved } = encoding;
  if (
    style === undefined &&
    (contentType !== undefined || !allowReserved) &&
    (explode === undefined || contentType !== undefined)
  )
    return undefined;
  return { name, style: style ?? "form", explode: explode ?? (style ?? "form") === "form", decode };
}

/** Members of objects that are written as fields of their own (style form, exploded): to which property each belongs. */
export function explodedMembers(shape: Shape, encodings: Encodings): ReadonlyMap<string, string> {
  const owners = new Map<string, string>();
  for (const [name, encoding] of Object.entries(encodings)) {
    const member = shape.properties.get(name);
    const notation = findNotation(name, encoding, (text) => text);
    if (member?.isObject !== true || member.isScalar || notation?.style !== "form" || !notation.explode) continue;
    for (const inner of member.properties.keys()) if (!shape.properties.has(inner)) owners.set(inner, name);
  }
  return owners;
}
