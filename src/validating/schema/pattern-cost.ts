/**
 * How the time of a backtracking engine can grow with the length of the text: `degree` 1 is linear, 2 quadratic;
 * `isNested` when a repetition stands in a repetition, which can be exponential. An upper bound, so a pattern that is
 * called cheap is cheap.
 */
export interface PatternCost {
  readonly degree: number;
  readonly isNested: boolean;
  /** Uses what no linear engine has: lookarounds and backreferences. */
  readonly needsBacktracking: boolean;
}

/** @param source a pattern that the platform's own engine has accepted */
export function patternCost(source: string): PatternCost {
  const reader = new CostReader(source);
  const body = reader.alternatives();
  // Without an anchor at the front, the engine starts again at every character.
  const isAnchored = source.startsWith("^") && !reader.hasTopLevelAlternatives;
  return {
    degree: body.degree + (isAnchored || body.degree === 0 ? 0 : 1),
    isNested: reader.isNested,
    needsBacktracking: reader.needsBacktracking,
  };
}

interface Part {
  readonly degree: number;
}

class CostReader {
  isNested = false;
  needsBacktracking = false;
  hasTopLevelAlternatives = false;
  private readonly source: string;
  private at = 0;
  private depth = 0;

  constructor(source: string) {
    this.source = source;
  }

  alternatives(): Part {
    let degree = 0;
    for (;;) {
      degree = Math.max(degree, this.sequence());
      if (this.source[this.at] !== "|") return { degree };
      if (this.depth === 0) this.hasTopLevelAlternatives = true;
      this.at++;
    }
  }

  private sequence(): number {
    let degree = 0;
    let lookaround = 0;
    while (this.at < this.source.length) {
      const character = this.source[this.at];
      if (character === "|" || character === ")") break;
      const isGroup = character === "(";
      const isLook = isGroup && /^\(\?<?[=!]/.test(this.source.slice(this.at, this.at + 4));
      const inner = this.atom(isGroup);
      if (isLook) {
        this.needsBacktracking = true;
        lookaround = Math.max(lookaround, inner);
        continue;
      }
      degree += this.repetition(inner, isGroup);
    }
    return degree + lookaround;
  }

  /** @returns the degree of what stands inside a group; 0 for a character */
  private atom(isGroup: boolean): number {
    if (!isGroup) {
      this.skipCharacter();
      return 0;
    }
    this.at++;
    if (this.source[this.at] === "?")
      this.at += /^\?(?:<[A-Za-z_$][^>]*>|<?[=!:]|:)/.exec(this.source.slice(this.at))?.[0].length ?? 1;
    this.depth++;
    const { degree } = this.alternatives();
    this.depth--;
    this.at++;
    return degree;
  }

  private skipCharacter(): void {
    const character = this.source[this.at];
    if (character === "\\") {
      if (/[1-9k]/.test(this.source[this.at + 1] ?? "")) this.needsBacktracking = true;
      const long = /^\\(?:u\{[^}]*\}|[pP]\{[^}]*\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|c[A-Za-z]|[\s\S])/.exec(
        this.source.slice(this.at),
      );
      this.at += long?.[0].length ?? 1;
    } else if (character === "[") {
      this.at++;
      while (this.at < this.source.length && this.source[this.at] !== "]") {
        this.at += this.source[this.at] === "\\" ? 2 : 1;
      }
      this.at++;
    } else this.at++;
  }

  private repetition(inner: number, isGroup: boolean): number {
    const found = /^(?:[*+?]|\{(\d+)(,?)(\d*)\})\??/.exec(this.source.slice(this.at, this.at + 24));
    if (found === null) return inner;
    this.at += found[0].length;
    if (found[0].startsWith("?")) return inner;
    const [, least, comma, most] = found;
    const isFixed = comma === "";
    const isShort = most !== undefined && most !== "" ? Number(most) <= 3 : isFixed && Number(least) <= 3;
    if (isGroup) {
      if (isShort) return inner * (Number(most || least) || 1);
      // A group whose inside is of fixed length could be told apart, but a linear engine does it at no risk.
      this.isNested = true;
      return inner + 1;
    }
    return isFixed ? inner : inner + 1;
  }
}
