import { isPattern } from "./upgrade-schema.ts";

/** A part of a pattern, as far as finding what can run exponentially needs to know it. */
interface Part {
  /** It can be repeated without bound. */
  readonly isLoop: boolean;
  /** It can match nothing. */
  readonly isOptional: boolean;
  /** For a group, its alternatives. */
  readonly alternatives: readonly Part[][] | undefined;
  readonly text: string;
}

/** @returns what is wrong with a pattern, and the remedy */
export function findHazard(pattern: string): string | undefined {
  if (!isPattern(pattern)) {
    return "is no regular expression of ECMA-262 (with the u flag), and is not checked; mend it";
  }
  const alternatives = new Parser(pattern).alternatives();
  if (!alternatives.some(hasHazard)) return undefined;
  return "can take exponential time in most engines: a repetition stands inside a repetition; write it without, e.g. a+ for (a+)+";
}

const hasHazard = (parts: readonly Part[]): boolean => parts.some(isHazard);

/** A loop over a group of which some alternative is itself one loop, or over alternatives that begin alike. */
function isHazard({ isLoop, alternatives }: Part): boolean {
  if (alternatives === undefined) return false;
  if (alternatives.some(hasHazard)) return true;
  if (!isLoop) return false;
  const isAmbiguous = alternatives.some(isOneLoop);
  const starts = alternatives.map((parts) => parts[0]?.text ?? "");
  return isAmbiguous || new Set(starts).size < starts.length;
}

/** Nothing but one repetition, however many groups are around it: repeated once more, where it is split is anybody's guess. */
function isOneLoop(parts: readonly Part[]): boolean {
  const loops = parts.filter(({ isLoop, alternatives }) => isLoop || alternatives?.some(isOneLoop) === true);
  return loops.length > 0 && parts.every((part) => part.isOptional || part === loops[0]);
}

/** Reads just the structure: groups, alternatives and repetitions. */
class Parser {
  private readonly source: string;
  private at = 0;

  constructor(source: string) {
    this.source = source;
  }

  alternatives(): Part[][] {
    const alternatives: Part[][] = [[]];
    while (this.at < this.source.length && this.source[this.at] !== ")") {
      if (this.source[this.at] === "|") {
        this.at++;
        alternatives.push([]);
        continue;
      }
      alternatives.at(-1)?.push(this.part());
    }
    return alternatives;
  }

  private part(): Part {
    const start = this.at;
    let inner: Part[][] | undefined;
    if (this.source[this.at] === "(") {
      this.at += /^\((?:\?(?:[:=!]|<[=!]|<[^>]*>))?/.exec(this.source.slice(this.at))?.[0].length ?? 1;
      inner = this.alternatives();
      this.at++;
    } else {
      this.at +=
        /^(?:\\u\{[^}]*\}|\\[pP]\{[^}]*\}|\\.|\[(?:\\.|[^\]\\])*\]|[\s\S])/.exec(this.source.slice(this.at))?.[0]
          .length ?? 1;
    }
    const text = this.source.slice(start, this.at);
    const quantifier = /^(?:[*+?]|\{\d+(?:,\d*)?\})\??/.exec(this.source.slice(this.at))?.[0] ?? "";
    this.at += quantifier.length;
    return {
      text,
      alternatives: inner,
      isLoop: /^(?:[*+]|\{\d+,\})/.test(quantifier),
      isOptional: /^(?:[*?]|\{0)/.test(quantifier) || text === "^" || text === "$",
    };
  }
}
