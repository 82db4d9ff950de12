import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import type { Plugin } from "../src/plugin.ts";
import { referenceRows } from "./support/reference.ts";

const PAGE = "docs/plugins-reference.md";
const HEAD = `# Every built-in plugin and its options

Written from the plugins themselves. [How plugins are attached and written](plugins.md). Any plugin also takes \`phase\`,
to stand elsewhere than it would by itself.
`;

async function section(file: string): Promise<string> {
  const { default: plugin } = (await import(new URL(`../plugins/${file}`, import.meta.url).href)) as {
    default: Plugin;
  };
  const rows = referenceRows(plugin.options);
  const table =
    rows.length === 0 ? ["No options."] : ["| option | takes | what it does |", "| --- | --- | --- |", ...rows];
  return [`\n## ${plugin.name}`, "", `Phase \`${plugin.phase}\`.`, "", ...table, ""].join("\n");
}

test(`${PAGE} lists every option of every plugin (UPDATE=1 writes it)`, async () => {
  const files = readdirSync("plugins").filter((name) => name.endsWith(".ts"));
  const wanted = HEAD + (await Promise.all(files.sort().map(section))).join("");
  if (process.env.UPDATE === "1") writeFileSync(PAGE, wanted);
  else assert.equal(readFileSync(PAGE, "utf8"), wanted);
});
