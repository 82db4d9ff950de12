import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { startSecuredGateway } from "../support/secured-gateway.ts";

/** A plugin in TypeScript that Node alone cannot run: it imports a helper of its own, and the plugin author's door. */
const source = (mark: string): string => `
  import { definePlugin, GatewayError, Type } from "portico/plugin";
  import { word } from "./helpers/word.ts";
  enum Kind { One = "${mark}" }
  export default definePlugin({
    name: "mine", phase: "transform",
    options: Type.Object({ secret: Type.String({ minLength: 3 }) }),
    setup({ options }) {
      return async function mine(exchange, next) {
        if (exchange.request.headers.get("x-secret") !== options.secret) throw new GatewayError("FORBIDDEN", "no");
        const response = await next(exchange);
        response.headers.set("X-Mine", Kind.One + word);
        return response;
      };
    },
  });`;
const files = { "plugins/mine.ts": source("one"), "plugins/helpers/word.ts": 'export const word: string = "-a";' };
const use = (name: string, options: unknown = { secret: "abc" }) => ({ plugins: [{ [name]: options }] });

for (const name of ["mine", "./plugins/mine.ts"]) {
  test(`a plugin in TypeScript is found as ${name}, and a reload sees what changed in it and in its helpers`, async (t) => {
    const { get, gateway, folder } = await startSecuredGateway(t, [], use(name), { files });
    assert.equal((await get()).code, "FORBIDDEN");
    const send = async () => (await get({ "X-Secret": "abc" })).headers.get("x-mine");
    assert.equal(await send(), "one-a");
    await writeFile(join(folder, "plugins/mine.ts"), source("two"));
    await writeFile(join(folder, "plugins/helpers/word.ts"), 'export const word: string = "-b";');
    await gateway.reload();
    assert.equal(await send(), "two-b");
  });
}

test("a plugin from an npm package is found by its name", async (t) => {
  const text = `export default { name: "p", phase: "observe", options: { type: "object" },
    setup: () => async (exchange, next) => { const r = await next(exchange); r.headers.set("X-P", "yes"); return r; } };`;
  const { get } = await startSecuredGateway(t, [], use("@me/p", {}), {
    files: {
      "node_modules/@me/p/package.json": JSON.stringify({ name: "@me/p", type: "module", exports: "./index.js" }),
      "node_modules/@me/p/index.js": text,
    },
  });
  assert.equal((await get()).headers.get("x-p"), "yes");
});

test("a plugin that cannot be loaded, or is given wrong options, keeps the gateway from starting and says where", async (t) => {
  const broken = {
    "plugins/syntax.ts": "export default {\n  name: 'x',,\n};",
    "plugins/throws.ts": "const a = 1;\nthrow new Error('no database');",
    "plugins/none.ts": "export const plugin = 1;",
    "plugins/setup.ts": source("x").replace(
      "setup({ options }) {",
      "setup({ options }) { throw new Error('cannot be');",
    ),
  };
  for (const [plugin, complaint] of [
    [use("syntax", {}), /syntax\.ts:2:\d+/],
    [use("throws", {}), /no database \(.*throws\.ts:2:\d+\)/],
    [use("none", {}), /no default export made by definePlugin/],
    [use("setup"), /setup: cannot be/],
    [use("nowhere", {}), /no npm package has this name/],
    [use("./plugins/nowhere.ts", {}), /there is no file/],
    [use("mine", { secret: "a" }), /mine\.secret is "a"; it must NOT have fewer than 3/],
    [use("mine", { secret: "abc", sekret: 1 }), /sekret is not a key; did you mean secret/],
    [use("mine", {}), /lacks secret/],
  ] as const) {
    await assert.rejects(startSecuredGateway(t, [], plugin, { files: { ...files, ...broken } }), complaint);
  }
});

test("the exception of a user's plugin is a 500 with a code, and the request goes no further", async (t) => {
  const text = `import { definePlugin, Type } from "portico/plugin";
    export default definePlugin({ name: "bad", phase: "authorize", options: Type.Object({}),
      setup: () => async (exchange) => { return (exchange as any).nothing.here; } });`;
  const { get, seen } = await startSecuredGateway(t, [], use("bad", {}), { files: { "plugins/bad.ts": text } });
  const answer = await get();
  assert.deepEqual([answer.status, answer.code], [500, "PLUGIN_FAILED"]);
  assert.doesNotMatch(answer.detail ?? "", /nothing|undefined/);
  assert.equal(seen.length, 0);
});

test("a reload with a broken plugin keeps the old one serving", async (t) => {
  const { get, gateway, folder } = await startSecuredGateway(t, [], use("mine"), { files });
  await mkdir(join(folder, "plugins"), { recursive: true });
  await writeFile(join(folder, "plugins/mine.ts"), "export default {");
  await assert.rejects(gateway.reload(), /mine cannot be loaded/);
  assert.equal((await get({ "X-Secret": "abc" })).headers.get("x-mine"), "one-a");
});
