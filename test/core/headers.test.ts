import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FieldGroup } from "../../src/core/field-group.ts";
import { HeaderList } from "../../src/core/headers.ts";
import { Prepared } from "../../src/core/prepared.ts";

type Change = readonly ["append" | "set" | "delete" | "filter" | "clone", which: number, name: string, value: string];

/** The same on plain lists, each clone a copy of its own. */
function change(lists: [string, string][][], [kind, which, name, value]: Change): void {
  const at = which % lists.length;
  const list = lists[at] as [string, string][];
  if (kind === "clone") lists.push(list.map(([key, text]) => [key, text]));
  else if (kind === "append") list.push([name, value]);
  else if (kind === "delete") lists[at] = list.filter(([key]) => key.toLowerCase() !== name.toLowerCase());
  else if (kind === "filter") lists[at] = list.filter(([key]) => key.toLowerCase() === name.toLowerCase());
  else {
    const first = list.findIndex(([key]) => key.toLowerCase() === name.toLowerCase());
    if (first < 0) list.push([name, value]);
    else {
      lists[at] = list.filter(([key], i) => i <= first || key.toLowerCase() !== name.toLowerCase());
      (lists[at][first] as [string, string])[1] = value;
    }
  }
}

const GROUPS = [new FieldGroup("a"), new FieldGroup("b", "c"), new FieldGroup("c", "d")];

test("whatever is changed in a list of fields or in a copy of it, no other one changes", () => {
  const names = fc.constantFrom("A", "a", "B", "c");
  const kinds = fc.constantFrom<Change[0]>("append", "set", "delete", "filter", "clone");
  const changes = fc.array(fc.tuple(kinds, fc.nat(20), names, fc.string({ maxLength: 2 })), { maxLength: 40 });
  fc.assert(
    fc.property(changes, (all) => {
      const lists = [new HeaderList(["A", "1", "B", "2", "a", "3"])];
      const model: [string, string][][] = [[...(lists[0] as HeaderList)]];
      for (const step of all) {
        const [kind, which, name, value] = step;
        const list = lists[which % lists.length] as HeaderList;
        change(model, step);
        // Whoever has asked once is told of what has changed since.
        list.hasAnyOf(GROUPS[0] as FieldGroup);
        if (kind === "clone") lists.push(list.clone());
        else if (kind === "filter") list.filter((lower) => lower === name.toLowerCase());
        else list[kind](name, value);
      }
      assert.deepEqual(
        lists.map((list) => [...list]),
        model,
      );
      for (const list of lists) {
        assert.equal(list.size, list.toFlat().length / 2);
        for (const group of GROUPS) {
          assert.equal(
            list.hasAnyOf(group),
            [...list].some(([name]) => group.has(name.toLowerCase())),
          );
        }
      }
    }),
  );
});

test("a group of fields that comes when lists have looked already is refused, as they would not see it", () => {
  new HeaderList(["A", "1"]).hasAnyOf(GROUPS[0] as FieldGroup);
  assert.throws(() => new FieldGroup("a"), RangeError);
});

for (const [what, touch] of [
  ["append", (list) => list.append("X", "1")],
  ["set", (list) => list.set("A", "2")],
  ["delete", (list) => list.delete("a")],
  ["filter", (list) => list.filter(() => false)],
] as const satisfies readonly (readonly [string, (list: HeaderList) => void])[]) {
  test(`after ${what}, what was written out before no longer counts, for that list alone`, () => {
    const list = new HeaderList(["A", "1"]);
    list.prepared = new Prepared(200, null);
    const copy = list.clone();
    touch(copy);
    assert.deepEqual([copy.prepared, list.prepared !== undefined], [undefined, true]);
    touch(list);
    assert.equal(list.prepared, undefined);
  });
}

const NOTHING: ReadonlySet<string> = new Set();

for (const [what, name, value] of [
  ["a line end in a value", "X", "1\r\nEvil: 2"],
  ["a character that latin1 would cut to a line end", "X", "1\u010aEvil: 2"],
  ["a delete in a value", "X", "\x7f"],
  ["a line end in a name", "X: 1\r\nEvil", "2"],
  ["a space in a name", "X ", "1"],
] as const) {
  test(`${what} is never written as lines, however it came into the list`, () => {
    const read = (): HeaderList => new HeaderList(["A", "1"], ["a"], true);
    const appended = read();
    appended.append(name, value);
    const set = read();
    set.set(name, value);
    const replaced = read();
    replaced.set("A", what.endsWith("name") ? "\0" : value);
    const copy = appended.clone();
    const given = new HeaderList([name, value]);
    const first = new HeaderList();
    first.append(name, value);
    for (const list of [appended, set, replaced, copy, given, first]) assert.equal(list.toLines(NOTHING), undefined);
    assert.equal(read().toLines(NOTHING), "A: 1\r\n");
  });
}

test("what is left out of the lines is given apart, in order", () => {
  const left: string[] = [];
  const list = new HeaderList(["Date", "now", "A", "1", "Content-Length", "2", "a", "3"]);
  assert.equal(list.toLines(new Set(["content-length", "date"]), left), "A: 1\r\na: 3\r\n");
  assert.deepEqual(left, ["Date", "now", "Content-Length", "2"]);
});
