import assert from "node:assert/strict";
import { test } from "node:test";
import { checkOptions } from "../../src/config/check.ts";
import { inlineSource } from "../../src/config/source.ts";
import { Type } from "../../src/core/type.ts";

const strict = { additionalProperties: false };
const OPTIONS = Type.Object(
  {
    name: Type.String(),
    port: Type.Optional(Type.Integer({ default: 8080 })),
    inner: Type.Optional(Type.Object({ level: Type.Optional(Type.Union([Type.Literal(1), Type.Literal(2)])) }, strict)),
    items: Type.Optional(Type.Array(Type.Object({ id: Type.Integer() }, strict))),
  },
  strict,
);
const messagesFor = (value: unknown): string =>
  checkOptions(inlineSource("f", value), OPTIONS, value, [])
    .map(({ message }) => message)
    .join("\n");

/** The first files are checked by the keys that they have, later ones by all there are: none may show which. */
for (let time = 1; time <= 5; time++) {
  test(`a file is checked alike, be it the first or the fifth (${time})`, () => {
    const good = { name: "a" };
    assert.equal(messagesFor(good), "");
    assert.deepEqual(good, { name: "a", port: 8080 });
    assert.match(messagesFor({}), /lacks name/);
    assert.match(messagesFor({ name: "a", prot: 1 }), /prot is not a key; did you mean port/);
    assert.match(messagesFor({ name: "a", inner: { level: 3 } }), /inner\.level is 3; it must be one of: 1, 2/);
    assert.match(messagesFor({ name: "a", inner: { levle: 1 } }), /inner\.levle is not a key; did you mean level/);
    assert.match(messagesFor({ name: "a", items: [{ id: "x" }] }), /items\.0\.id is "x"/);
    assert.match(messagesFor("text"), /must be object/);
  });
}
