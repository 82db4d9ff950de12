import { parseExpression, splitExpressions, splitTemplate } from "../core/path-expression.ts";

/** One part of a path template between slashes. */
export interface Segment {
  /** `rest` is the only one that more than one segment of a path may match. */
  readonly kind: "literal" | "parameter" | "partial" | "rest";
  /** A literal's text; else its shape, with names left out, so that equal shapes are equal. */
  readonly text: string;
  readonly names: readonly string[];
  /**
   * @param reading which one, where text between two parameters stands more than once: 0 has them end as early as they can,
   * 1 the last but one as late as it can, 2 at the place before, and so on
   * @returns the values of the parameters; undefined when the text does not fit, or has no such reading
   */
  match(text: string, reading: number): string[] | undefined;
}

/** Splits a template such as `/pets/{id}.json`. OpenAPI 3.2 §4.8.2. */
export const parseTemplate = (template: string): Segment[] => splitTemplate(template).map(parseSegment);

function parseSegment(source: string): Segment {
  const parts = splitExpressions(source);
  const literals = parts.filter((_, i) => i % 2 === 0).map(decode);
  const expressions = parts.filter((_, i) => i % 2 === 1).map(parseExpression);
  const names = expressions.map(({ name }) => name);
  if (names.length === 0) return { kind: "literal", text: decode(source), names, match: () => [] };
  // Beside another parameter of its segment it is one like any other: where it ends is anybody's guess.
  const isRest = expressions.length === 1 && expressions[0]?.isRest === true;
  const text = literals.join(isRest ? "{+}" : "{}");
  const match = (value: string, reading: number): string[] | undefined =>
    reading === 0 ? matchShortest(literals, value) : matchFromEnd(literals, value, reading);
  if (isRest) return { kind: "rest", text, names, match };
  if (text === "{}") return { kind: "parameter", text, names, match: (value) => (value === "" ? undefined : [value]) };
  return { kind: "partial", text, names, match };
}

/** Linear, where a regular expression could be made to backtrack by a request. */
function matchShortest(literals: readonly string[], value: string): string[] | undefined {
  const first = literals[0] as string;
  const last = literals[literals.length - 1] as string;
  if (!value.startsWith(first)) return undefined;
  const values: string[] = [];
  let from = first.length;
  for (let i = 1; i < literals.length; i++) {
    const literal = literals[i] as string;
    const at = i === literals.length - 1 ? value.length - last.length : value.indexOf(literal, from + 1);
    if (at <= from || !value.startsWith(literal, at)) return undefined;
    values.push(value.slice(from, at));
    from = at + literal.length;
  }
  return values;
}

function matchFromEnd(literals: readonly string[], value: string, reading: number): string[] | undefined {
  const last = literals[literals.length - 1] as string;
  const between = literals[literals.length - 2] as string;
  if (!value.endsWith(last)) return undefined;
  const end = value.length - last.length;
  let at = end - between.length;
  for (let i = 0; i < reading; i++) {
    if (at < 1) return undefined;
    at = value.lastIndexOf(between, at - 1);
  }
  const before = at < 1 ? undefined : matchShortest([...literals.slice(0, -2), ""], value.slice(0, at));
  before?.push(value.slice(at + between.length, end));
  return before;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
