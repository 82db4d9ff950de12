import { createContext, Script } from "node:vm";
import { lazyPackage } from "../../core/lazy.ts";
import { patternCost } from "./pattern-cost.ts";

const re2 = lazyPackage<typeof import("re2js")>("re2js");

export interface Matcher {
  /** @throws never */
  test(text: string): boolean;
}

/** Steps of a backtracking engine that one text may cost: some milliseconds. */
const STEPS = 1_000_000;
/** That all texts of one message may cost together: a body has room for thousands. */
const MESSAGE_STEPS = 5_000_000;
/** A repetition in a repetition doubles with each character. */
const NESTED_CHARACTERS = 18;
/** The longest that the patterns of one message that have no linear engine may hold the event loop. ATTACKS 38. */
const BACKTRACKING_MS = 20;

/** What the patterns of the message that is being checked may still cost. No check waits for anything, so one is enough. */
const left = { steps: MESSAGE_STEPS, milliseconds: BACKTRACKING_MS };

/** Before a message is checked: what others have cost is not its fault. */
export function renewPatternBudget(): void {
  left.steps = MESSAGE_STEPS;
  left.milliseconds = BACKTRACKING_MS;
}

/**
 * A pattern as ECMA-262 means it, in time that a client cannot stretch: V8 where the cost is bounded by the length of
 * the text, RE2 (linear) beyond. What RE2 cannot express (lookarounds, backreferences) runs in V8 under a deadline, and
 * a text that exceeds it does not match.
 * @returns undefined when no engine can read the pattern
 */
export function findMatcher(source: string): Matcher | undefined {
  const native = findNative(source);
  if (native === undefined) return findLinear(source);
  const cost = patternCost(source);
  const longest = cost.isNested ? NESTED_CHARACTERS : Math.floor(STEPS ** (1 / Math.max(1, cost.degree)));
  if (!cost.isNested && cost.degree <= 1) return native;
  let beyond: Matcher | undefined;
  return {
    test(text) {
      const { length } = text;
      if (length <= longest) {
        const steps = cost.isNested ? 2 ** length : length ** cost.degree;
        if (steps <= left.steps) {
          left.steps -= steps;
          return native.test(text);
        }
      }
      beyond ??= (cost.needsBacktracking ? undefined : findLinear(source)) ?? createDeadlined(native);
      return beyond.test(text);
    },
  };
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

// RE2's \s is ASCII; ECMA-262's is all white space and line ends.
const SPACES =
  "\\t\\n\\v\\f\\r \\x{00a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}";

function findLinear(source: string): Matcher | undefined {
  try {
    const { RE2JS } = re2();
    const linear = RE2JS.compile(RE2JS.translateRegExp(withUnicodeSpaces(source)));
    return { test: (text) => linear.test(text) };
  } catch {
    return undefined;
  }
}

function withUnicodeSpaces(source: string): string {
  let inClass = false;
  return source.replace(/\\[\s\S]|[[\].]/g, (part) => {
    if (part === "[") inClass = true;
    else if (part === "]") inClass = false;
    else if (part === "\\s") return inClass ? SPACES : `[${SPACES}]`;
    else if (part === "\\S" && !inClass) return `[^${SPACES}]`;
    else if (part === "." && !inClass) return "[^\\n\\r\\x{2028}\\x{2029}]";
    return part;
  });
}

/** V8 stops a running pattern when its context's time is over. */
function createDeadlined(pattern: RegExp): Matcher {
  const sandbox = { pattern, text: "" };
  const context = createContext(sandbox);
  const script = new Script("pattern.test(text)");
  return {
    test(text) {
      if (left.milliseconds <= 0) return false;
      sandbox.text = text;
      const from = performance.now();
      try {
        return script.runInContext(context, { timeout: Math.ceil(left.milliseconds) }) === true;
      } catch {
        return false;
      } finally {
        left.milliseconds -= performance.now() - from;
      }
    },
  };
}
