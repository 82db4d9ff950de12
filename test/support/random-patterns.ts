import fc from "fast-check";

const LETTERS = ["a", "b", "1", "_", " ", "-", "\u00e9", "\ud83d\ude00", "\n"];
/** Halves of code points, too: JSON can hold them. */
const UNITS = [...LETTERS, "a", "a", "b", "\ud83d", "\ude00", "\u00a0", "\u2028"];

const one = fc.constantFrom(
  ...["a", "a", "b", "b", "1", "\u00e9", "\ud83d\ude00", ".", "\\w", "\\W", "\\d", "\\D", "\\s", "\\S", "[ab]", "[^a]"],
  ...["[a-c1]", "[^\\d\\s]", "[\\w-]", "[^]", "[]", "\\u0061", "\\u{1f600}", "\\ud83d", "\\ude00", "\\x61", "\\n"],
  ...["[\ud83d\ude00b]", "[^\ud83d\ude00]", "[\\ud800-\\udfff]", "\\p{L}", "\\P{L}", "[\\p{ASCII}]", "\\uD83D\\uDE00"],
);
const edge = fc.constantFrom("^", "$", "\\b", "\\B");
const quantifier = fc.constantFrom("*", "+", "?", "*?", "+?", "??", "{2}", "{0,2}", "{1,3}?", "{2,}", "{0}", "{0,3}?");
const opening = fc.constantFrom("(?:", "(?:", "(", "(", "(?=", "(?!", "(?<=", "(?<!");
const isLookaround = (text: string): boolean => /^\(\?<?[=!]/.test(text);

/** What backreferences mean. It stands before them: V8 gets those before wrong. */
const groups = fc.constantFrom("(?:(b?a)|(b|))", "(?:(a)|(b)|1)*", "(?:(a)(b)?)+?", "(?=(a|b)*?(b?))");

/** Patterns with all that ECMA-262 has. @param references whether backreferences are among them */
export const patterns = (references: boolean): fc.Arbitrary<string> =>
  fc
    .letrec<{ pattern: string; sequence: string; part: string; group: string }>((tie) => ({
      pattern: fc.array(tie("sequence"), { minLength: 1, maxLength: 3 }).map((all) => all.join("|")),
      sequence: fc.array(tie("part"), { maxLength: 4 }).map((all) => all.join("")),
      part: fc.oneof(
        { maxDepth: 4, depthSize: "small" },
        { weight: 4, arbitrary: one },
        { weight: 2, arbitrary: fc.tuple(one, quantifier).map(([atom, times]) => atom + times) },
        { weight: 1, arbitrary: edge },
        ...(references ? [{ weight: 1, arbitrary: fc.constantFrom("(?:\\1)", "(?:\\2)", "\\1+", "\\1?") }] : []),
        { weight: 4, arbitrary: tie("group") },
      ),
      group: fc
        .tuple(opening, tie("pattern"), fc.option(quantifier, { nil: "" }))
        .map(([open, inner, times]) => `${open}${inner})${isLookaround(open) ? "" : times}`),
    }))
    .pattern.chain((inner) => (references ? groups.map((before) => `${before}(?:${inner})`) : fc.constant(inner)));

export const texts: fc.Arbitrary<string> = fc.string({ unit: fc.constantFrom(...UNITS), maxLength: 10 });
