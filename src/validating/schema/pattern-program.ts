import type { AST } from "@eslint-community/regexpp";
import { CharacterSet, type SetNode } from "./pattern-characters.ts";
import { isAnchored, isLookaround, isOneCharacter, type OneCharacter, type PatternSyntax } from "./pattern-syntax.ts";

export const CHARACTER = 0;
export const RUN = 1;
export const EACH = 2;
export const SPLIT = 3;
export const JUMP = 4;
export const REMEMBER = 5;
export const LOOK = 6;
export const START = 7;
export const END = 8;
export const BOUNDARY = 9;
export const REFERENCE = 10;
export const SAVE = 11;
export const CLEAR = 12;
export const MOVED = 13;
export const MATCH = 14;

/** What `a` and `b` mean depends on the operation; addresses are indexes into the program. */
export interface Instruction {
  readonly operation: number;
  a: number;
  b: number;
  /** In a lookbehind, texts are read from their end. */
  readonly isBackward: boolean;
  /** Of a boundary or a lookaround: its opposite is asked for. */
  readonly isNegated: boolean;
  /** Of a run: as few as possible first. */
  readonly isLazy: boolean;
  /** For what is not to be tried twice at one place of a text, its column in the table of what was tried; or -1. */
  readonly column: number;
  /** What is read: one character, or with -1 one of a set. */
  readonly character: number;
  readonly set: CharacterSet | undefined;
}

export interface PatternProgram {
  readonly code: readonly Instruction[];
  readonly isUnicode: boolean;
  readonly isAnchored: boolean;
  /** Columns of the table of what was tried; 0 for a pattern with backreferences, where what follows depends on the way there. */
  readonly columns: number;
  /** Where the groups that backreferences mean start and end, and repetitions have been. */
  readonly registers: number;
}

/** What is not to be tried twice at one place: where ways part and come together. */
const TRIED = new Set([RUN, EACH, SPLIT, REMEMBER, LOOK]);
const ANY = -1;
const MOST_INSTRUCTIONS = 20_000;

/** @returns undefined for a pattern whose counts make it too large */
export function compilePattern(syntax: PatternSyntax): PatternProgram | undefined {
  try {
    return new Compiler(syntax).program;
  } catch (error) {
    if (error instanceof TooLarge) return undefined;
    throw error;
  }
}

class TooLarge extends Error {}

/** After Thompson: each part of the pattern becomes instructions, one after the other; repetitions with counts, copies. */
class Compiler {
  readonly program: PatternProgram;
  private readonly code: Instruction[] = [];
  private readonly sets = new Map<SetNode, CharacterSet>();
  /** Of groups that backreferences mean, the first of two registers. */
  private readonly captures = new Map<AST.CapturingGroup, number>();
  private readonly isUnicode: boolean;
  private readonly hasReferences: boolean;
  private columns = 0;
  private registers = 0;

  constructor({ tree, isUnicode }: PatternSyntax) {
    this.isUnicode = isUnicode;
    for (const group of referencedGroups(tree)) this.captures.set(group, 2 * this.captures.size);
    this.registers = 2 * this.captures.size;
    this.hasReferences = this.captures.size > 0;
    this.alternatives(tree.alternatives, false);
    this.emit(MATCH);
    const columns = this.hasReferences ? 0 : this.columns;
    const { code, registers } = this;
    this.program = { code, isUnicode, isAnchored: isAnchored(tree), columns, registers };
  }

  private emit(operation: number, a = 0, b = 0, more: Partial<Instruction> = {}): Instruction {
    if (this.code.length >= MOST_INSTRUCTIONS) throw new TooLarge();
    const isTried = TRIED.has(operation);
    const instruction = {
      operation,
      a,
      b,
      isBackward: more.isBackward ?? false,
      isNegated: more.isNegated ?? false,
      isLazy: more.isLazy ?? false,
      column: isTried ? this.columns++ : -1,
      character: more.character ?? ANY,
      set: more.set,
    };
    this.code.push(instruction);
    return instruction;
  }

  private alternatives(alternatives: readonly AST.Alternative[], isBackward: boolean): void {
    const ends: Instruction[] = [];
    for (const [i, { elements }] of alternatives.entries()) {
      const split = i < alternatives.length - 1 ? this.emit(SPLIT, this.code.length + 1) : undefined;
      for (const element of isBackward ? elements.toReversed() : elements) this.element(element, isBackward);
      if (split === undefined) continue;
      ends.push(this.emit(JUMP));
      split.b = this.code.length;
    }
    for (const end of ends) end.a = this.code.length;
  }

  private element(node: AST.Element, isBackward: boolean): void {
    if (isOneCharacter(node)) this.character(CHARACTER, node, 0, 0, { isBackward });
    else if (node.type === "Quantifier") this.quantifier(node, isBackward);
    else if (node.type === "Group") this.alternatives(node.alternatives, isBackward);
    else if (node.type === "CapturingGroup") this.capture(node, isBackward);
    else if (node.type === "Assertion") this.assertion(node);
    else if (node.type === "Backreference") this.reference(node, isBackward);
  }

  private character(operation: number, node: OneCharacter, a: number, b: number, how: Partial<Instruction>): void {
    const set = node.type === "Character" ? undefined : this.setOf(node);
    const character = node.type === "Character" ? node.value : ANY;
    this.emit(operation, a, b, { ...how, character, set });
  }

  private setOf(node: SetNode): CharacterSet {
    let set = this.sets.get(node);
    if (set === undefined) {
      set = new CharacterSet(node, this.isUnicode);
      this.sets.set(node, set);
    }
    return set;
  }

  private capture(node: AST.CapturingGroup, isBackward: boolean): void {
    const register = this.captures.get(node);
    if (register === undefined) {
      this.alternatives(node.alternatives, isBackward);
      return;
    }
    this.emit(SAVE, isBackward ? register + 1 : register);
    this.alternatives(node.alternatives, isBackward);
    this.emit(SAVE, isBackward ? register : register + 1);
  }

  private reference({ resolved }: AST.Backreference, isBackward: boolean): void {
    // Of groups with one name only one can have matched, and what has not matches nothing.
    for (const group of [resolved].flat()) {
      this.emit(REFERENCE, this.captures.get(group) as number, 0, { isBackward });
    }
  }

  private assertion(node: AST.Assertion): void {
    if (node.kind === "start") this.emit(START);
    else if (node.kind === "end") this.emit(END);
    else if (node.kind === "word") this.emit(BOUNDARY, 0, 0, { isNegated: node.negate });
    else if (isLookaround(node)) {
      const look = this.emit(LOOK, this.code.length + 1, 0, { isNegated: node.negate });
      this.alternatives(node.alternatives, node.kind === "lookbehind");
      this.emit(MATCH);
      look.b = this.code.length;
    }
  }

  private quantifier(node: AST.Quantifier, isBackward: boolean): void {
    const { element, min, max } = node;
    if (isOneCharacter(element)) {
      const isEndless = max === Number.POSITIVE_INFINITY;
      const most = isEndless ? min : max;
      if (most > 1) {
        this.character(RUN, element, min, most, { isBackward, isLazy: !node.greedy });
        if (most > min) this.emit(REMEMBER);
        if (isEndless) this.loop(node, isBackward);
        return;
      }
    }
    const groups = this.hasReferences ? this.groupsIn(element) : [];
    for (let i = 0; i < min; i++) this.iteration(node, groups, isBackward);
    if (max === Number.POSITIVE_INFINITY) this.loop(node, isBackward);
    else this.options(node, max - min, groups, isBackward);
  }

  private loop(node: AST.Quantifier, isBackward: boolean): void {
    const start = this.code.length;
    if (isOneCharacter(node.element) && node.greedy) {
      this.character(EACH, node.element, 0, start + 1, { isBackward });
      return;
    }
    const split = this.emit(SPLIT);
    this.attempt(node, this.hasReferences ? this.groupsIn(node.element) : [], isBackward);
    this.emit(JUMP, start);
    this.branch(split, node.greedy, start + 1);
  }

  private options(node: AST.Quantifier, count: number, groups: readonly number[], isBackward: boolean): void {
    const splits: (readonly [Instruction, number])[] = [];
    for (let i = 0; i < count; i++) {
      splits.push([this.emit(SPLIT), this.code.length]);
      this.attempt(node, groups, isBackward);
    }
    for (const [split, inside] of splits) this.branch(split, node.greedy, inside);
  }

  private branch(split: Instruction, isGreedy: boolean, inside: number): void {
    split.a = isGreedy ? inside : this.code.length;
    split.b = isGreedy ? this.code.length : inside;
  }

  /** An iteration beyond the least number of them, which must not match nothing. */
  private attempt(node: AST.Quantifier, groups: readonly number[], isBackward: boolean): void {
    // Where a place is never tried twice, that ends such iterations already.
    if (!this.hasReferences) {
      this.iteration(node, groups, isBackward);
      return;
    }
    const register = this.registers++;
    this.emit(SAVE, register);
    this.iteration(node, groups, isBackward);
    this.emit(MOVED, register);
  }

  /** What groups have matched in an iteration before is forgotten (ECMA-262 §22.2.2.3.1). */
  private iteration(node: AST.Quantifier, groups: readonly number[], isBackward: boolean): void {
    for (const register of groups) this.emit(CLEAR, register);
    this.element(node.element, isBackward);
  }

  private groupsIn({ start, end }: AST.Element): number[] {
    const inside = [...this.captures].filter(([group]) => group.start >= start && group.end <= end);
    return inside.map(([, register]) => register);
  }
}

function referencedGroups(tree: AST.Pattern): Set<AST.CapturingGroup> {
  const groups = new Set<AST.CapturingGroup>();
  const visit = (node: AST.Element): void => {
    if (node.type === "Backreference") for (const group of [node.resolved].flat()) groups.add(group);
    else if (node.type === "Quantifier") visit(node.element);
    else if ("alternatives" in node) for (const { elements } of node.alternatives) elements.forEach(visit);
  };
  for (const { elements } of tree.alternatives) elements.forEach(visit);
  return groups;
}
