import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readFieldLines } from "../../src/core/field-lines.ts";

const LINE = /([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[\t ]*((?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)([\t ]*)\r\n/y;

/** RFC 9112 §5 as an expression. @returns name, value, lower-cased name of each line; undefined for what is refused */
function readSlowly(text: string): string[][] | undefined {
  const lines: string[][] = [];
  for (let at = 0; at < text.length; at = LINE.lastIndex) {
    LINE.lastIndex = at;
    const found = LINE.exec(text);
    if (found === null) return undefined;
    const [, name = "", value = "", rest = ""] = found;
    const lower = name.toLowerCase();
    if (rest.includes("\t") && ["content-length", "transfer-encoding"].includes(lower)) return undefined;
    lines.push([name, value, lower]);
  }
  return lines;
}

function read(text: string): string[][] | undefined {
  const flat: string[] = [];
  const names: string[] = [];
  if (readFieldLines(text, 0, text.length, { flat, names }) !== undefined) return undefined;
  return names.map((lower, i) => [flat[i * 2] as string, flat[i * 2 + 1] as string, lower]);
}

const name = fc.oneof(
  fc.constantFrom("Date", "date", "DATE", "Dat", "Data", "ETag", "Content-Length", "transfer-encoding", "Content-Type"),
  fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,80}$/),
);
const value = fc.oneof(
  fc.constantFrom("", " ", "a", " a\t", "a b ", "12"),
  fc.stringMatching(/^[\t -~\x80-\xff]{0,20}$/),
);
const section = fc.array(
  fc.tuple(name, value).map(([left, right]) => `${left}:${right}\r\n`),
  { maxLength: 20 },
);
/** A character that is taken away, put in or put in the place of another. */
const flaw = fc.tuple(
  fc.nat(),
  fc.nat(1),
  fc.constantFrom("", "\0", ":", " ", "\t", "\r", "\n", "\x7f", "D", "é", "(", "\r\n"),
);

test("field lines are read as RFC 9112 says, whatever was read before them", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(section, fc.array(flaw, { maxLength: 2 })), { maxLength: 8 }), (sections) => {
      for (const [lines, flaws] of sections) {
        let text = lines.join("");
        for (const [where, removed, added] of flaws) {
          const at = where % (text.length + 1);
          text = text.slice(0, at) + added + text.slice(at + removed);
        }
        // What ends otherwise is no section.
        if (!text.endsWith("\r\n")) text += "\r\n";
        assert.deepEqual(read(text), readSlowly(text), JSON.stringify(text));
      }
    }),
    { numRuns: 3000 },
  );
});

test("no name is taken for the one that stood in its place before", () => {
  const before = "Date: a\r\n".repeat(20);
  assert.equal(read(before)?.length, 20);
  for (const text of [
    "\0: a\r\n",
    ": a\r\n",
    "\r\n",
    "Date : a\r\n",
    "Datum: a\r\n",
    "Dat: a\r\n",
    "date: a\r\n",
    "dATE:\r\n",
  ]) {
    assert.deepEqual(read(text), readSlowly(text), JSON.stringify(text));
  }
});

test("names beyond those that are kept are read like any other", () => {
  for (let i = 0; i < 3000; i++) {
    const text = `X-${i}: ${i}\r\nDate: a\r\n`;
    assert.deepEqual(read(text), [
      [`X-${i}`, String(i), `x-${i}`],
      ["Date", "a", "date"],
    ]);
  }
});
