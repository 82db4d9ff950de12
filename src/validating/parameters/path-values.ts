import type { Exchange } from "../../core/exchange.ts";
import type { Operation } from "../../core/operation.ts";
import { baseCounter, parseExpression, splitExpressions, splitTemplate } from "../../core/path-expression.ts";
import { decodePercent } from "./decode.ts";

interface Place {
  /** Which segment of the template. */
  readonly segment: number;
  readonly isRest: boolean;
  /** Decoded; what stands before, between and after the parameters of the segment. */
  readonly literals: readonly string[];
  readonly names: readonly string[];
}

/**
 * The path parameters of an operation as they were sent: a list is parted before it is decoded, so that a comma inside
 * an item stays inside it.
 */
export class PathValues {
  private readonly countBase: (path: string) => number;
  private readonly places = new Map<string, Place>();
  private readonly length: number;

  constructor(operation: Pick<Operation, "path" | "bases">) {
    this.countBase = baseCounter(operation);
    const segments = splitTemplate(operation.path);
    this.length = segments.length;
    segments.forEach((text, segment) => {
      const parts = splitExpressions(text);
      const expressions = parts.filter((_, i) => i % 2 === 1).map(parseExpression);
      const names = expressions.map(({ name }) => name);
      const isRest = expressions.length === 1 && expressions[0]?.isRest === true;
      const literals = parts.filter((_, i) => i % 2 === 0).map((literal) => decodePercent(literal) ?? literal);
      for (const name of names) this.places.set(name, { segment, isRest, literals, names });
    });
  }

  /** @returns percent-encoded */
  find(exchange: Exchange, name: string): string {
    const { pathParameters, request } = exchange;
    const decoded = pathParameters[name] ?? "";
    if (!request.path.includes("%")) return decoded;
    const place = this.places.get(name);
    const text = place && this.textAt(place, request.path);
    if (text === undefined) return decoded.replaceAll("%", "%25");
    if (place === undefined || place.names.length + place.literals.join("").length === 1) return text;
    let start = 0;
    for (let i = 0; place.names[i] !== name; i++) {
      start += (place.literals[i] as string).length + (pathParameters[place.names[i] as string] ?? "").length;
    }
    start += (place.literals[place.names.indexOf(name)] as string).length;
    return sliceEncoded(text, start, start + decoded.length);
  }

  private hasRestBefore(segment: number): boolean {
    return [...this.places.values()].some((place) => place.isRest && place.segment < segment);
  }

  /** What of a path stands in the place of a segment of the template. */
  private textAt({ segment, isRest }: Place, path: string): string | undefined {
    const segments = path.slice(1).split("/").slice(this.countBase(path));
    if (isRest) return segments.slice(segment, segments.length - (this.length - 1 - segment)).join("/");
    return segments[this.hasRestBefore(segment) ? segments.length - this.length + segment : segment];
  }
}

/** A part of percent-encoded text, by where it stands once it is decoded. */
function sliceEncoded(text: string, start: number, end: number): string {
  let from = text.length;
  let at = 0;
  let i = 0;
  while (i < text.length && at < end) {
    if (at >= start && from === text.length) from = i;
    const bytes = text[i] === "%" ? sequenceLength(Number.parseInt(text.slice(i + 1, i + 3), 16)) : 0;
    at += bytes === 4 ? 2 : 1;
    i += bytes === 0 ? 1 : bytes * 3;
  }
  return text.slice(from, i);
}

/** Bytes of a character in UTF-8, by its first one. */
const sequenceLength = (byte: number): number => (byte < 0xc0 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4);
