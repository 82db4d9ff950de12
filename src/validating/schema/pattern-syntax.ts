import type { AST, RegExpParser } from "@eslint-community/regexpp";
import { lazy, lazyPackage } from "../../core/lazy.ts";
import type { SetNode } from "./pattern-characters.ts";

const regexpp = lazyPackage<typeof import("@eslint-community/regexpp")>("@eslint-community/regexpp");
const parser = lazy<RegExpParser>(() => new (regexpp().RegExpParser)());

/** A pattern of ECMA-262, read. */
export interface PatternSyntax {
  readonly tree: AST.Pattern;
  /** Read with the `u` flag: a character is a code point, and else half of one may be. */
  readonly isUnicode: boolean;
}

/** @returns undefined for what is no pattern of ECMA-262 */
export function readPattern(source: string, isUnicode: boolean): PatternSyntax | undefined {
  try {
    return { tree: parser().parsePattern(source, 0, source.length, { unicode: isUnicode }), isUnicode };
  } catch {
    return undefined;
  }
}

/** What matches exactly one character. */
export type OneCharacter = AST.Character | SetNode;

export const isOneCharacter = (node: AST.Element): node is OneCharacter =>
  node.type === "Character" ||
  node.type === "CharacterSet" ||
  node.type === "CharacterClass" ||
  node.type === "ExpressionCharacterClass";

export const isLookaround = (node: AST.Assertion): node is AST.LookaroundAssertion =>
  node.kind === "lookahead" || node.kind === "lookbehind";

/** Whether a text can only match from its first character. */
export const isAnchored = ({ alternatives }: AST.Pattern): boolean =>
  alternatives.every(({ elements: [first] }) => first?.type === "Assertion" && first.kind === "start");
