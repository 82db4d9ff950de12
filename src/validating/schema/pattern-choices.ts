import type { AST } from "@eslint-community/regexpp";
import type { CharacterSet, SetNode } from "./pattern-characters.ts";
import { isOneCharacter, type OneCharacter } from "./pattern-syntax.ts";

type SetOf = (node: SetNode) => CharacterSet;

/** A place in a pattern that takes a character (Glushkov's positions), and what can take the next one. */
interface Position {
  readonly node: OneCharacter;
  readonly followers: Position[];
}

interface Part {
  /** What can take the first character: twice when there are two ways to it. */
  readonly first: readonly Position[];
  readonly last: readonly Position[];
  readonly canBeEmpty: boolean;
}

const MOST_POSITIONS = 64;
const FEW_COPIES = 8;
const EMPTY: Part = { first: [], last: [], canBeEmpty: true };

/**
 * Whether the next character alone decides how a pattern goes on, so that any text has at most one way through it:
 * Brüggemann-Klein's one-unambiguity. It may say no of what is. Higher counts are read as any number: that only adds ways.
 * @param isRepeated it is the inside of an endless repetition
 */
export function isDecided(alternatives: readonly AST.Alternative[], setOf: SetOf, isRepeated = false): boolean {
  try {
    const choices = new Choices();
    let part = choices.alternatives(alternatives);
    if (isRepeated) part = choices.repeated(part);
    return isChoice(part.first, setOf) && choices.positions.every(({ followers }) => isChoice(followers, setOf));
  } catch (error) {
    if (error instanceof Undecided) return false;
    throw error;
  }
}

const isChoice = (positions: readonly Position[], setOf: SetOf): boolean =>
  positions.every(({ node }, i) => positions.slice(0, i).every((other) => !doMeet(other.node, node, setOf)));

function doMeet(a: OneCharacter, b: OneCharacter, setOf: SetOf): boolean {
  if (a.type === "Character") return b.type === "Character" ? a.value === b.value : setOf(b).has(a.value);
  return b.type === "Character" ? setOf(a).has(b.value) : setOf(a).meets(setOf(b));
}

class Undecided extends Error {}

class Choices {
  readonly positions: Position[] = [];
  /** @throws Undecided when more than one way leads through without a character */
  alternatives(alternatives: readonly AST.Alternative[]): Part {
    const parts = alternatives.map(({ elements }) => this.sequence(elements));
    if (parts.filter(({ canBeEmpty }) => canBeEmpty).length > 1) throw new Undecided();
    return {
      first: parts.flatMap(({ first }) => first),
      last: parts.flatMap(({ last }) => last),
      canBeEmpty: parts.some(({ canBeEmpty }) => canBeEmpty),
    };
  }

  /** @throws Undecided when each iteration can match nothing */
  repeated(part: Part): Part {
    if (part.canBeEmpty) throw new Undecided();
    for (const { followers } of part.last) followers.push(...part.first);
    return part;
  }

  private sequence(elements: readonly AST.Element[]): Part {
    let whole = EMPTY;
    for (const element of elements) {
      const part = this.element(element);
      for (const { followers } of whole.last) followers.push(...part.first);
      whole = {
        first: whole.canBeEmpty ? [...whole.first, ...part.first] : whole.first,
        last: part.canBeEmpty ? [...whole.last, ...part.last] : part.last,
        canBeEmpty: whole.canBeEmpty && part.canBeEmpty,
      };
    }
    return whole;
  }

  private element(node: AST.Element): Part {
    if (isOneCharacter(node)) {
      if (this.positions.length === MOST_POSITIONS) throw new Undecided();
      const position: Position = { node, followers: [] };
      this.positions.push(position);
      return { first: [position], last: [position], canBeEmpty: false };
    }
    if (node.type === "Quantifier") return this.quantifier(node);
    if (node.type === "Group" || node.type === "CapturingGroup") return this.alternatives(node.alternatives);
    // Where it lets nothing pass, there are fewer ways.
    if (node.type === "Assertion") return EMPTY;
    throw new Undecided();
  }

  private quantifier({ element, min, max }: AST.Quantifier): Part {
    if (min === max && max <= FEW_COPIES) return this.sequence(Array<AST.Element>(max).fill(element));
    const once = this.element(element);
    const part = max === 1 ? once : this.repeated(once);
    if (min > 0) return part;
    if (part.canBeEmpty) throw new Undecided();
    return { ...part, canBeEmpty: true };
  }
}
