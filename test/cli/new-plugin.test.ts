import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { folderWith, portico } from "../support/cli.ts";

test("portico new-plugin writes a plugin whose test passes, and never writes over a file", async (t) => {
  const door = (name: string): string => `export * from ${JSON.stringify(resolve(`src/${name}.ts`))};`;
  const folder = await folderWith(t, {
    "package.json": JSON.stringify({ type: "module" }),
    "node_modules/portico/package.json": JSON.stringify({
      name: "portico",
      type: "module",
      exports: { "./plugin": "./plugin.ts", "./testing": "./testing.ts" },
    }),
    "node_modules/portico/plugin.ts": door("plugin"),
    "node_modules/portico/testing.ts": door("testing"),
  });
  const plugins = join(folder, "plugins");
  const first = await portico("new-plugin", "my-check", "--folder", plugins).finished;
  assert.equal(first.code, 0, first.stderr);
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const tested = spawnSync(
    process.execPath,
    ["--import", import.meta.resolve("tsx"), "--test", join(plugins, "my-check.test.ts")],
    { cwd: folder, env, encoding: "utf8" },
  );
  assert.equal(tested.status, 0, tested.stdout + tested.stderr);
  assert.match(tested.stdout, /# pass 2|pass 2/);
  const text = await readFile(join(plugins, "my-check.ts"), "utf8");
  assert.equal((await portico("new-plugin", "my-check", "--folder", plugins).finished).code, 1);
  assert.equal(await readFile(join(plugins, "my-check.ts"), "utf8"), text);
  assert.equal((await portico("new-plugin", "../oops", "--folder", plugins).finished).code, 2);
});
