import type { AST } from "@eslint-community/regexpp";
import { lazyPackage } from "../../core/lazy.ts";
import type { Matcher } from "./pattern.ts";
import { isOneCharacter, type OneCharacter, type PatternSyntax } from "./pattern-syntax.ts";

const re2 = lazyPackage<typeof import("re2js")>("re2js");

/** A pattern in the syntax of RE2, which is not ECMA-262's. */
export function findLinear(source: string): Matcher | undefined {
  try {
    const linear = re2().RE2JS.compile(source);
    return { test: (text) => linear.test(text) };
  } catch {
    return undefined;
  }
}

/**
 * A pattern in the syntax of RE2 that matches exactly the same texts; without the `u` flag, of those in which each
 * character is one unit: RE2 reads code points only.
 * @returns undefined for what RE2 cannot express, or may mean otherwise
 */
export const toLinear = ({ tree }: PatternSyntax): string | undefined => alternatives(tree.alternatives);

function alternatives(all: readonly AST.Alternative[]): string | undefined {
  return joined(
    all.map((one) => joined(one.elements.map(element), "")),
    "|",
  );
}

const joined = (parts: readonly (string | undefined)[], by: string): string | undefined =>
  parts.includes(undefined) ? undefined : parts.join(by);

function wrap(open: string, inner: string | undefined, close: string): string | undefined {
  return inner === undefined ? undefined : open + inner + close;
}

function element(node: AST.Element): string | undefined {
  if (isOneCharacter(node)) return character(node);
  if (node.type === "Group") return wrap("(?:", alternatives(node.alternatives), ")");
  if (node.type === "CapturingGroup") return wrap("(", alternatives(node.alternatives), ")");
  if (node.type === "Quantifier") return wrap("", element(node.element), times(node));
  if (node.type !== "Assertion") return undefined;
  if (node.kind === "start") return "^";
  if (node.kind === "end") return "$";
  return node.kind === "word" ? (node.negate ? "\\B" : "\\b") : undefined;
}

function times({ min, max, greedy }: AST.Quantifier): string {
  const isEndless = max === Number.POSITIVE_INFINITY;
  const short = isEndless ? ["*", "+"][min] : min === 0 && max === 1 ? "?" : undefined;
  return (short ?? `{${min},${isEndless ? "" : max}}`) + (greedy ? "" : "?");
}

const written = (code: number): string => `\\x{${code.toString(16)}}`;

function character(node: OneCharacter): string | undefined {
  if (node.type === "Character") return isHalf(node.value) ? undefined : written(node.value);
  if (node.type === "CharacterSet") {
    if (node.kind === "any") return "[^\\n\\r\\x{2028}\\x{2029}]";
    return wrap(
      node.kind === "space" && node.negate ? "[^" : "[",
      ranges(node.kind === "space" ? { ...node, negate: false } : node),
      "]",
    );
  }
  if (node.type !== "CharacterClass") return undefined;
  const { elements, negate } = node;
  if (elements.length === 0) return negate ? `[\\x{0}-\\x{10ffff}]` : undefined;
  return wrap(negate ? "[^" : "[", joined((elements as AST.CharacterClassElement[]).map(ranges), ""), "]");
}

// RE2's \s is ASCII; ECMA-262's is all white space and line ends.
const SPACES =
  "\\t\\n\\v\\f\\r \\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}";

/** What stands in brackets. */
function ranges(node: AST.CharacterClassElement | AST.CharacterSet): string | undefined {
  if (node.type === "Character") return isHalf(node.value) ? undefined : written(node.value);
  if (node.type === "CharacterClassRange") {
    const { min, max } = node;
    return spansHalves(min.value, max.value) ? undefined : `${written(min.value)}-${written(max.value)}`;
  }
  if (node.type !== "CharacterSet") return undefined;
  if (node.kind === "digit") return node.negate ? "\\D" : "\\d";
  if (node.kind === "word") return node.negate ? "\\W" : "\\w";
  // Of properties, the versions of Unicode differ.
  return node.kind === "space" && !node.negate ? SPACES : undefined;
}

const isHalf = (code: number): boolean => code >= 0xd800 && code < 0xe000;
/** Its ends are among halves of code points, of which RE2 knows nothing. */
const spansHalves = (min: number, max: number): boolean => isHalf(min) || isHalf(max);
