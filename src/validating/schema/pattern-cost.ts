import type { AST } from "@eslint-community/regexpp";
import { CharacterSet, type SetNode } from "./pattern-characters.ts";
import { isDecided } from "./pattern-choices.ts";
import { isAnchored, isLookaround, isOneCharacter, type PatternSyntax } from "./pattern-syntax.ts";

/** An upper bound of what backtracking takes for a text of n characters: about `factor` × n ** `degree` steps. */
export interface PatternCost {
  /** Infinity where the time can be exponential. */
  readonly degree: number;
  readonly factor: number;
}

/** More different lengths than these count as any length. */
const FEW_LENGTHS = 16;
/** More copies of a group than these are not looked at one by one. */
const FEW_COPIES = 3;

export function patternCost({ tree, isUnicode }: PatternSyntax): PatternCost {
  const reader = new CostReader(isUnicode);
  const { cost, factor } = reader.alternatives(tree.alternatives);
  // Without an anchor at the front, the engine starts again at every character.
  const starts = isAnchored(tree) ? 0 : 1;
  const isOneWay = reader.isDecided(tree.alternatives) && reader.looks(tree.alternatives) === 0;
  return isOneWay ? { degree: Math.min(1, cost) + starts, factor: 1 } : { degree: cost + starts, factor };
}

/** What a part of a pattern takes. */
interface Part {
  /** In how many ways it can match from one place on: at most `factor` × n ** `ways`. */
  readonly ways: number;
  /** To try all of them, with the lookarounds in it, takes at most about `factor` × n ** `cost` steps. */
  readonly cost: number;
  readonly factor: number;
}

const ONE_WAY: Part = { ways: 0, cost: 0, factor: 1 };
const UNBOUNDED: Part = { ways: Number.POSITIVE_INFINITY, cost: Number.POSITIVE_INFINITY, factor: 1 };

/** One after the other: what follows is tried for each way that leads there. */
function chain(parts: readonly Part[]): Part {
  let { ways, cost, factor } = ONE_WAY;
  for (const part of parts) {
    cost = Math.max(cost, ways + part.cost);
    ways += part.ways;
    factor *= part.factor;
  }
  return { ways, cost: Math.max(cost, ways), factor };
}

class CostReader {
  private readonly isUnicode: boolean;
  private readonly sets = new Map<SetNode, CharacterSet>();
  private isBackward = false;

  constructor(isUnicode: boolean) {
    this.isUnicode = isUnicode;
  }

  alternatives(alternatives: readonly AST.Alternative[]): Part {
    const parts = alternatives.map(({ elements }) => {
      const inOrder = this.isBackward ? elements.toReversed() : elements;
      return chain(inOrder.map((element) => this.element(element)));
    });
    const factors = parts.map(({ factor }) => factor);
    const isEither = parts.length > 1 && this.isDecided(alternatives);
    return {
      ways: Math.max(...parts.map(({ ways }) => ways)),
      cost: Math.max(...parts.map(({ cost }) => cost)),
      factor: isEither ? Math.max(...factors) : factors.reduce((sum, factor) => sum + factor, 0),
    };
  }

  isDecided(alternatives: readonly AST.Alternative[], isRepeated = false): boolean {
    // That the next character decides says nothing of the one before.
    return !this.isBackward && isDecided(alternatives, this.setOf, isRepeated);
  }

  /** The highest cost of what is in a part and takes no way of its own. */
  looks(alternatives: readonly AST.Alternative[]): number {
    const cost = (node: AST.Element): number => {
      if (node.type === "Quantifier") return cost(node.element);
      if (node.type === "Group" || node.type === "CapturingGroup") return this.looks(node.alternatives);
      return this.element(node).cost;
    };
    return Math.max(0, ...alternatives.flatMap(({ elements }) => elements.map(cost)));
  }

  private element(node: AST.Element): Part {
    if (node.type === "Quantifier") return this.quantifier(node);
    if (node.type === "Group" || node.type === "CapturingGroup") return this.alternatives(node.alternatives);
    // A group comes again in one way, after as many characters have been compared.
    if (node.type === "Backreference") return { ...ONE_WAY, cost: 1 };
    return node.type === "Assertion" && isLookaround(node) ? this.lookaround(node) : ONE_WAY;
  }

  /** Only whether it matches counts: it has no ways. */
  private lookaround(node: AST.LookaroundAssertion): Part {
    const { isBackward } = this;
    this.isBackward = node.kind === "lookbehind";
    const part = this.alternatives(node.alternatives);
    this.isBackward = isBackward;
    return { ...part, ways: 0 };
  }

  private quantifier({ element, min, max }: AST.Quantifier): Part {
    const lengths = max - min + 1;
    if (isOneCharacter(element))
      return lengths > FEW_LENGTHS ? { ways: 1, cost: 1, factor: 1 } : { ...ONE_WAY, factor: lengths };
    if (max <= FEW_COPIES) {
      const copies = chain(Array<Part>(max).fill(this.element(element)));
      return { ...copies, factor: copies.factor * lengths };
    }
    if (element.type === "Assertion" || element.type === "Backreference") return UNBOUNDED;
    if (!this.isDecided(element.alternatives, true)) return UNBOUNDED;
    // One way, however long: it may end after each iteration, and lookarounds are tried in each.
    return { ways: 1, cost: 1 + this.looks(element.alternatives), factor: 1 };
  }

  private readonly setOf = (node: SetNode): CharacterSet => {
    let set = this.sets.get(node);
    if (set === undefined) {
      set = new CharacterSet(node, this.isUnicode);
      this.sets.set(node, set);
    }
    return set;
  };
}
