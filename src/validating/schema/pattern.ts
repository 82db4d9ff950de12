import { lazy } from "../../core/lazy.ts";
import { patternCost } from "./pattern-cost.ts";
import { findLinear, toLinear } from "./pattern-linear.ts";
import { PatternMachine, type StepBudget } from "./pattern-machine.ts";
import { compilePattern } from "./pattern-program.ts";
import { type PatternSyntax, readPattern } from "./pattern-syntax.ts";

export interface Matcher {
  /** @throws never */
  test(text: string): boolean;
}

/** Steps of V8 that one text may cost: some milliseconds. */
const NATIVE_STEPS = 1_000_000;
/** That all texts of one message may cost together: a body has room for thousands. */
const MESSAGE_NATIVE_STEPS = 5_000_000;
/** Steps of the machine that all texts of one message may cost together: some 15 ms. ATTACKS 38. */
const MESSAGE_MACHINE_STEPS = 1_000_000;
/** That each text and each of its characters add, as much as ordinary ones take, so that a list may have any length. */
const TEXT_MACHINE_STEPS = 64;
const CHARACTER_MACHINE_STEPS = 8;
/** Times the length of the text that are not counted: there is no text that they make slow. */
const CHEAP_FACTOR = 64;

/** What the patterns of the message that is being checked may still cost. No check waits for anything, so one is enough. */
const left = { nativeSteps: MESSAGE_NATIVE_STEPS, machine: { steps: MESSAGE_MACHINE_STEPS } satisfies StepBudget };

/** Before a message is checked: what others have cost is not its fault. */
export function renewPatternBudget(): void {
  left.nativeSteps = MESSAGE_NATIVE_STEPS;
  left.machine.steps = MESSAGE_MACHINE_STEPS;
}

/** From the first character at most one repetition, or none from anywhere: without reading it further, linear. */
const PLAIN = /^(?:\^[^(|?*+{]*(?:[*+]|\{[\d,]+\})?[^(|?*+{]*|[^(|?*+{]*)$/;

/**
 * A pattern as ECMA-262 means it, in time that a client cannot stretch and no clock measures: V8 where the cost is bounded
 * by the length of the text, beyond it RE2 (linear), and a machine of our own for what RE2 cannot express (lookarounds,
 * backreferences). It counts its steps, and a text that exceeds what a message may cost does not match.
 * @returns undefined when no engine can read the pattern
 */
export function findMatcher(source: string): Matcher | undefined {
  const native = findNative(source);
  if (native === undefined) return findLinear(source);
  return PLAIN.test(source) ? native : new BoundedMatcher(source, native);
}

/** With the `u` flag, as JSON Schema asks; without it where the pattern has escapes that `u` forbids. */
function findNative(source: string): RegExp | undefined {
  for (const flags of ["u", ""]) {
    try {
      return new RegExp(source, flags);
    } catch {
      // The next flags, or no native engine.
    }
  }
  return undefined;
}

/** What reading a pattern needs is loaded with the first text. */
class BoundedMatcher implements Matcher {
  private readonly source: string;
  private readonly native: RegExp;
  private degree: number | undefined;
  private factor = 1;
  private beyond: Matcher | undefined;

  constructor(source: string, native: RegExp) {
    this.source = source;
    this.native = native;
  }

  test(text: string): boolean {
    if (this.degree === undefined) this.measure();
    const { degree = 0, factor } = this;
    if (degree <= 1 && factor <= CHEAP_FACTOR) return this.native.test(text);
    const steps = factor * text.length ** degree;
    if (steps <= NATIVE_STEPS && steps <= left.nativeSteps) {
      left.nativeSteps -= steps;
      return this.native.test(text);
    }
    this.beyond ??= createBounded(this.read());
    return this.beyond.test(text);
  }

  private measure(): void {
    const syntax = this.read();
    const cost = syntax === undefined ? undefined : patternCost(syntax);
    this.degree = cost?.degree ?? Number.POSITIVE_INFINITY;
    this.factor = cost?.factor ?? 1;
  }

  private read(): PatternSyntax | undefined {
    return readPattern(this.source, this.native.unicode);
  }
}

const NEVER: Matcher = { test: () => false };

/** Half of a code point: of what RE2 reads as one character, ECMA-262 without the `u` flag reads two. */
const HALF = /[\ud800-\udfff]/;

function createBounded(syntax: PatternSyntax | undefined): Matcher {
  if (syntax === undefined) return NEVER;
  const source = toLinear(syntax);
  const linear = source === undefined ? undefined : findLinear(source);
  if (linear === undefined) return createMachine(syntax);
  if (syntax.isUnicode) return linear;
  const machine = lazy(() => createMachine(syntax));
  return { test: (text) => (HALF.test(text) ? machine() : linear).test(text) };
}

function createMachine(syntax: PatternSyntax): Matcher {
  const program = compilePattern(syntax);
  if (program === undefined) return NEVER;
  const machine = new PatternMachine(program);
  return {
    test(text) {
      left.machine.steps += TEXT_MACHINE_STEPS + CHARACTER_MACHINE_STEPS * text.length;
      return machine.test(text, left.machine);
    },
  };
}
