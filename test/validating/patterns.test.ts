import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { findMatcher, renewPatternBudget } from "../../src/validating/schema/pattern.ts";
import { patternCost } from "../../src/validating/schema/pattern-cost.ts";
import { findLinear, toLinear } from "../../src/validating/schema/pattern-linear.ts";
import { PatternMachine } from "../../src/validating/schema/pattern-machine.ts";
import { compilePattern, type PatternProgram } from "../../src/validating/schema/pattern-program.ts";
import { type PatternSyntax, readPattern } from "../../src/validating/schema/pattern-syntax.ts";
import { patterns, texts } from "../support/random-patterns.ts";
import { bodyDocument, specGateway } from "../support/spec-gateway.ts";

const HOSTILE = `${"a".repeat(50_000)}!`;

const syntaxOf = (source: string, flags = "u"): PatternSyntax => readPattern(source, flags === "u") as PatternSyntax;
const machineOf = (source: string, flags = "u"): PatternMachine =>
  new PatternMachine(compilePattern(syntaxOf(source, flags)) as PatternProgram);

/** V8's own search tries halves of code points, too, with the `u` flag: ECMA-262 does not. */
function matches(source: string, flags: string, text: string): boolean {
  const native = new RegExp(source, `${flags}y`);
  for (let i = 0; i <= text.length; i += flags === "u" && (text.codePointAt(i) ?? 0) > 0xffff ? 2 : 1) {
    native.lastIndex = i;
    if (native.test(text)) return true;
  }
  return false;
}

/** For 50 KB that do not match: most steps for each character, or undefined where only the budget is a bound. */
const EVIL: Record<string, number | undefined> = {
  "^(a+)+$": 10,
  "(a|a)*b": 15,
  "^(a|aa)+$": 15,
  "(.*a){12}!b": 60,
  "^([a-z0-9]+-?)*$": 10,
  "a*a*a*a*b": 20,
  "^(?=(a+)+$)a*!": 10,
  "^(?=(a+)+$)b": 10,
  "^(?:(?=a)a|a)*$": 15,
  "^(?:(?=.*b)a)*$": 10,
  "(?<=(?:a|a)*)b": 15,
  "^(?:\\w+\\s?)+$": 15,
  "(a+)+\\1$": undefined,
  "(.*)*\\1!b": undefined,
  "(?!.*(.)\\1\\1)x": undefined,
};

test("the machine takes so many steps for each character, and never more than its budget", () => {
  for (const [source, most] of Object.entries(EVIL)) {
    const budget = { steps: 3_000_000 };
    assert.equal(machineOf(source).test(HOSTILE, budget), false, source);
    if (most === undefined) assert.ok(budget.steps < 0 && budget.steps > -HOSTILE.length, `${source} ${budget.steps}`);
    else assert.ok(3_000_000 - budget.steps <= most * HOSTILE.length, `${source} ${3_000_000 - budget.steps}`);
  }
});

test("no pattern holds the event loop, whatever a client sends", async (t) => {
  for (const pattern of Object.keys(EVIL)) {
    const gateway = await specGateway(t, {
      document: bodyDocument({ "text/plain": { schema: { type: "string", pattern } } }),
    });
    const { status } = await gateway.send("POST", "/", { headers: { "content-type": "text/plain" }, body: HOSTILE });
    assert.equal(status, 400, pattern);
  }
});

const EXPONENTIAL = Number.POSITIVE_INFINITY;

test("what backtracking may take is known", () => {
  const rows: Record<string, ReturnType<typeof patternCost>> = {
    "^[a-z]+$": { degree: 1, factor: 1 },
    "^abc$": { degree: 0, factor: 1 },
    "a+b": { degree: 2, factor: 1 },
    "^a*b*c*$": { degree: 1, factor: 1 },
    "^a*a*a*$": { degree: 3, factor: 1 },
    "^(a+)+$": { degree: EXPONENTIAL, factor: 1 },
    "^(?:a?)*$": { degree: EXPONENTIAL, factor: 1 },
    "^(?:a|ab|c)*$": { degree: EXPONENTIAL, factor: 1 },
    "^(?:\u00e9|[^a])*$": { degree: EXPONENTIAL, factor: 1 },
    "^(?:[\u00e0-\u00ff]|[^a])*$": { degree: EXPONENTIAL, factor: 1 },
    "^(?:ab)*$": { degree: 1, factor: 1 },
    "^(?:[a-z0-9-]+\\.)+[a-z]{2,}$": { degree: 2, factor: 1 },
    "^(?:[A-Za-z0-9+/]{4})*==$": { degree: 1, factor: 1 },
    "^(?:a|a)(?:a|a)(?:a|a)$": { degree: 0, factor: 8 },
    "^a?a?a?a?aaaa$": { degree: 0, factor: 16 },
    "^[a-z]{1,9}\\d{3}$": { degree: 0, factor: 1 },
    "^(?=.*\\d).+$": { degree: 1, factor: 1 },
    "^.*(?=.*\\d)x": { degree: 2, factor: 1 },
    "^(?:(?!--)[a-z-])*$": { degree: 1, factor: 1 },
    "^(?:(?=.*b)a)*$": { degree: 2, factor: 1 },
    "^(?<=(?:ab)*)": { degree: EXPONENTIAL, factor: 1 },
    "^(.)\\1$": { degree: 1, factor: 1 },
    "^a|b+$": { degree: 2, factor: 1 },
  };
  for (const [source, expected] of Object.entries(rows)) {
    assert.deepEqual(patternCost(syntaxOf(source)), expected, source);
  }
});

for (const flags of ["u", ""]) {
  for (const references of [false, true]) {
    const name = `${references ? "with backreferences, " : ""}${flags === "" ? "without flags" : "with the flag u"}`;
    test(`the machine agrees with V8, ${name}`, () => {
      fc.assert(
        fc.property(patterns(references), fc.array(texts, { minLength: 4, maxLength: 4 }), (source, all) => {
          const machine = machineOf(source, flags);
          for (const text of all) {
            const budget = { steps: 1_000_000 };
            const found = machine.test(text, budget);
            if (budget.steps >= 0)
              assert.equal(found, matches(source, flags, text), `${source} on ${JSON.stringify(text)}`);
          }
        }),
        { numRuns: 400 },
      );
    });
  }
}

test("a lookaround matches again where another one has come by", () => {
  for (const inside of [
    "a*b",
    "a*?b",
    "(?:a|c)*b",
    "a{0,2}b",
    "a{1,2}?b|b",
    "(?=a*b).*b",
    "a*(?!a).*b",
    "(?:a*(?=b))+b",
  ]) {
    const budget = { steps: 10_000 };
    assert.ok(machineOf(`^(?:(?=${inside})[ab])*$`).test("aabaab", budget), inside);
    assert.ok(machineOf(`^(?:(?!${inside})[ab])*a$`).test("aaaa", budget), `not ${inside}`);
  }
});

test("what a group has matched in an iteration before is forgotten", () => {
  assert.equal(machineOf("^(?:(a)|b)*\\1$").test("ab", { steps: 1_000 }), true);
  assert.equal(machineOf("^(?:(a)|b)*\\1$").test("baa", { steps: 1_000 }), true);
  assert.equal(machineOf("^(?:(a)|b)*c\\1$").test("abca", { steps: 1_000 }), false);
});

test("RE2 agrees with V8 on all that is given to it", () => {
  let count = 0;
  const all = fc.array(texts, { minLength: 4, maxLength: 4 });
  fc.assert(
    fc.property(patterns(false), fc.constantFrom("u", ""), all, (source, flags, several) => {
      const translated = toLinear(syntaxOf(source, flags));
      const linear = translated === undefined ? undefined : findLinear(translated);
      if (linear === undefined) return;
      for (const text of several) {
        if (flags === "" && /[\ud800-\udfff]/.test(text)) continue;
        count++;
        assert.equal(linear.test(text), matches(source, flags, text), `${source} on ${JSON.stringify(text)}`);
      }
    }),
    { numRuns: 1_000 },
  );
  assert.ok(count > 300, `${count} texts`);
});

test("without the u flag, half of a code point is a character", () => {
  const source = "^(?:(?:a|ab|.\\-)+c?)+$";
  assert.throws(() => new RegExp(source, "u"));
  for (const text of ["ab\u{1f600}-", "ab\ud83d-", "abc-abab"]) {
    renewPatternBudget();
    assert.equal(findMatcher(source)?.test(text), new RegExp(source).test(text), text);
  }
});

test("a pattern that no engine reads refuses nobody", async (t) => {
  const gateway = await specGateway(t, {
    document: bodyDocument({ "application/json": { schema: { type: "string", pattern: "(?<" } } }),
  });
  const { status } = await gateway.send("POST", "/", { headers: { "content-type": "application/json" }, body: '"x"' });
  assert.equal(status, 200);
});

/** As the documents of clouds have them; each with a text that matches. */
const ORDINARY: Record<string, string> = {
  "^([a-zA-Z0-9_\\-=/]|\\{year\\}|\\{month\\}|\\{day\\}){1,900}$": "data/year={year}/month={month}/day={day}",
  "^arn:(?:aws|aws-cn|aws-us-gov):[a-z-]+:([^:]*:)+.{1,1023}$":
    "arn:aws:iam::123456789012:user/division/subdivision/Zoe",
  "^(?!-)(?:[a-z0-9-]{1,63}(?<!-)\\.)+[a-z]{2,63}$": "a-b.example-of-names.shop.example.com",
  "^(?:(?=[^.]*[a-z])(?:[a-z0-9]+-?)+[.])+(?!\\d+$)\\w+$": "some-name.of-a-host.and-its.domain.example",
  "^([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)+(?!.)": "Team: Zo\u00eb's friends / platform=gateway".replace("'", "_"),
  "^[\\p{ASCII}]{1,2048}(?<![\\s])$": "a description of a thing in plain words, 1 to 2048 of them",
  "^(?=.{1,64}@)(?:[a-z0-9]+[._-]?)+(?<![._-])@(?:[a-z0-9]+-?)+\\.[a-z]+$": "first.last_name-of-all@example-mail.org",
  "^(['\"])(?:(?!\\1).)*\\1(?:,(['\"])(?:(?!\\2).)*\\2)*$": `"a","b's",'c "d"',"and so on"`,
  "^(?:(\\w)(?!\\1{2}))+$": "aabbccddeeffgghhiijj_no_three_alike",
  "^[a-zA-Z]([a-zA-Z0-9_-]{0,1022}[a-zA-Z0-9])?(?:/[a-zA-Z]([a-zA-Z0-9_-]{0,1022}[a-zA-Z0-9])?)*$":
    "resource-group/with_many/parts/of-a-name",
};

test("a list of 10,000 ordinary texts is accepted", () => {
  for (const [source, text] of Object.entries(ORDINARY)) {
    const matcher = findMatcher(source);
    renewPatternBudget();
    for (let i = 0; i < 10_000; i++) assert.equal(matcher?.test(text), true, `${source}, text ${i}`);
  }
});

test("a long text that matches is accepted", () => {
  renewPatternBudget();
  assert.equal(findMatcher("^(?=.*b)(?:a+b?)+$")?.test(`${"a".repeat(999)}b`.repeat(200)), true);
});

test("what one text has cost is missing for the rest of its message, and not for the next", () => {
  const matcher = findMatcher("^(?:(a+)+\\1!|a+)$");
  const dear = "a".repeat(12);
  renewPatternBudget();
  assert.equal(matcher?.test(dear), true);
  assert.equal(matcher?.test("a".repeat(40)), false);
  assert.equal(matcher?.test(dear), false);
  renewPatternBudget();
  assert.equal(matcher?.test(dear), true);
});
