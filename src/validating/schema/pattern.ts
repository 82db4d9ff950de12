import { createContext, Script } from "node:vm";
import { lazyPackage } from "../../core/lazy.ts";
import { patternCost } from "./pattern-cost.ts";

const re2 = lazyPackage<typeof import("re2js")>("re2js");

export interface Matcher {
  /** @throws never */
  test(text: string): boolean;
}

/** Steps of a backtracking engine that are always fast enough: some milliseconds. */
const STEPS = 1_000_000;
/** A repetition in a repetition doubles with each character. */
const NESTED_CHARACTERS = 18;
/** The longest that one pattern without a linear engine may hold the event loop. ATTACKS 38. */
const BACKTRACKING_MS = 20;

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
      if (text.length <= longest) return native.test(text);
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
      sandbox.text = text;
      try {
        return script.runInContext(context, { timeout: BACKTRACKING_MS }) === true;
      } catch {
        return false;
      }
    },
  };
}
