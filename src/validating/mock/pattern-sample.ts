/** A source of numbers in [0, 1). */
export type Random = () => number;

/**
 * A text that matches a pattern, for patterns of literals, classes, groups, alternatives and repetitions. Assertions and
 * backreferences are passed over: whoever asks checks the text.
 */
export function samplePattern(source: string, random: Random): string {
  return new PatternSampler(source, random).alternatives();
}

const CLASSES: Readonly<Record<string, string>> = { d: "0123456789", w: "abcdefghij0123456789_", s: " " };
const ANY = "abcdefghijklmnopqrstuvwxyz0123456789";
const PRINTABLE = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join("");

class PatternSampler {
  private readonly source: string;
  private readonly random: Random;
  private at = 0;

  constructor(source: string, random: Random) {
    this.source = source;
    this.random = random;
  }

  alternatives(): string {
    const options = [this.sequence()];
    while (this.source[this.at] === "|") {
      this.at++;
      options.push(this.sequence());
    }
    return this.pick(options);
  }

  private sequence(): string {
    let text = "";
    while (this.at < this.source.length && !/[|)]/.test(this.source[this.at] as string)) {
      const start = this.at;
      const once = this.atom();
      const end = this.at;
      const [least, most] = this.repetition();
      const after = this.at;
      const count = Math.min(least + Math.floor(this.random() * (Math.min(most, least + 4) - least + 1)), 200);
      text += count > 0 ? once : "";
      for (let i = 1; i < count; i++) {
        this.at = start;
        text += this.atom();
        this.at = end;
      }
      this.at = after;
    }
    return text;
  }

  private atom(): string {
    const character = this.source[this.at++] as string;
    if (character === "^" || character === "$") return "";
    if (character === ".") return this.pick([...ANY]);
    if (character === "[") return this.oneOfClass();
    if (character === "\\") return this.escape();
    return character === "(" ? this.group() : character;
  }

  private group(): string {
    const prefix = /^\?(?:<[A-Za-z_][^>]*>|:|<?[=!])/.exec(this.source.slice(this.at))?.[0] ?? "";
    this.at += prefix.length;
    const text = this.alternatives();
    this.at++;
    return /[=!]$/.test(prefix) ? "" : text;
  }

  private escape(): string {
    const letter = this.source[this.at++] ?? "";
    if (letter === "b" || letter === "B") return "";
    if (letter === "x" || letter === "u") {
      const code = /^(?:\{([0-9a-fA-F]+)\}|([0-9a-fA-F]{2,4}))/.exec(this.source.slice(this.at, this.at + 8));
      this.at += code?.[0].length ?? 0;
      return String.fromCodePoint(Number.parseInt(code?.[1] ?? code?.[2] ?? "61", 16));
    }
    if (letter === "p" || letter === "P") {
      this.at += /^\{[^}]*\}/.exec(this.source.slice(this.at))?.[0].length ?? 0;
      return "a";
    }
    return this.pick([...charactersOf(letter)]);
  }

  private oneOfClass(): string {
    const isNegated = this.source[this.at] === "^";
    if (isNegated) this.at++;
    let members = "";
    while (this.at < this.source.length && this.source[this.at] !== "]") {
      const first = this.classMember();
      if (first.length === 1 && this.source[this.at] === "-" && this.source[this.at + 1] !== "]") {
        this.at++;
        const last = this.classMember();
        for (let code = first.charCodeAt(0); code <= last.charCodeAt(0) && members.length < 400; code++) {
          members += String.fromCharCode(code);
        }
      } else members += first;
    }
    this.at++;
    const allowed = isNegated ? [...PRINTABLE].filter((character) => !members.includes(character)) : [...members];
    return this.pick(allowed);
  }

  private classMember(): string {
    const character = this.source[this.at++] as string;
    if (character !== "\\") return character;
    const letter = this.source[this.at] as string;
    if (!/[xupP]/.test(letter)) {
      this.at++;
      return charactersOf(letter);
    }
    return this.escape();
  }

  private repetition(): [number, number] {
    const found = /^(?:([*+?])|\{(\d+)(,?)(\d*)\})\??/.exec(this.source.slice(this.at, this.at + 24));
    if (found === null) return [1, 1];
    this.at += found[0].length;
    if (found[1] !== undefined) return found[1] === "*" ? [0, 8] : found[1] === "+" ? [1, 8] : [0, 1];
    const least = Number(found[2]);
    return [least, found[3] === "" ? least : found[4] === "" ? least + 8 : Number(found[4])];
  }

  private pick<T>(options: readonly T[]): T {
    return options[Math.floor(this.random() * options.length)] as T;
  }
}

const CONTROLS: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", f: "\f", v: "\v" };
const charactersOf = (letter: string): string =>
  CLASSES[letter] ??
  CONTROLS[letter] ??
  (letter === "D" || letter === "W" ? (letter === "D" ? "abc" : "-") : letter === "S" ? "abc" : letter);
