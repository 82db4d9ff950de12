import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { checkOptions } from "../src/config/check.ts";
import { formatProblem } from "../src/config/problem.ts";
import { PorticoOptions, RouteOptions } from "../src/config/schema.ts";
import { inlineSource } from "../src/config/source.ts";
import { fillSection, referenceRows } from "./support/reference.ts";

const pages = ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", ...readdirSync("docs").map((name) => `docs/${name}`)];

/** Fenced blocks of one language, with the line they start on. */
const snippets = (page: string, language: string): { line: number; text: string }[] => {
  const text = readFileSync(page, "utf8");
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, "gm"))].map((match) => ({
    line: text.slice(0, match.index).split("\n").length,
    text: match[1] as string,
  }));
};

/** By the comment on its first line: a whole file, or a part of one. */
const schemaOf = (text: string) =>
  /^# (\S*\/)?portico\.yaml/.test(text) ? PorticoOptions : /^# routes\//.test(text) ? RouteOptions : undefined;

for (const page of pages.filter((name) => name.endsWith(".md"))) {
  for (const { line, text } of snippets(page, "yaml")) {
    test(`the YAML of ${page}:${line} is a configuration that Portico takes`, () => {
      const value = parse(text);
      const schema = schemaOf(text);
      if (schema === undefined) return;
      assert.deepEqual(checkOptions(inlineSource(page, value), schema, value, []).map(formatProblem), []);
    });
  }
  for (const { line, text } of snippets(page, "json")) {
    test(`the JSON of ${page}:${line} is JSON`, () => {
      JSON.parse(text);
    });
  }
  test(`every local link of ${page} leads somewhere`, () => {
    const links = [...readFileSync(page, "utf8").matchAll(/\]\((?!https?:|#|mailto:)([^)#]+)/g)].map(
      (match) => match[1] as string,
    );
    const root = new URL(`../${page}`, import.meta.url);
    for (const link of links) assert.doesNotThrow(() => readFileSync(new URL(link, root)), `${page} links to ${link}`);
  });
}

const DOORS = {
  portico: "index",
  "portico/plugin": "plugin",
  "portico/register": "register",
  "portico/testing": "testing",
};

/** The snippet as a file that runs here: the doors of the package are those of this tree. */
function toProgram(text: string): string {
  return Object.entries(DOORS).reduce(
    (program, [name, file]) =>
      program.replaceAll(`"${name}"`, JSON.stringify(new URL(`../src/${file}.ts`, import.meta.url).href)),
    text,
  );
}

for (const page of pages.filter((name) => name.endsWith(".md"))) {
  for (const { line, text } of snippets(page, "ts")) {
    test(`the TypeScript of ${page}:${line} runs`, async (t) => {
      // Inside node_modules, so that it finds the packages it imports and no tool takes it for ours.
      const folder = mkdtempSync(fileURLToPath(new URL("../node_modules/.portico-docs-", import.meta.url)));
      t.after(() => rmSync(folder, { recursive: true }));
      const file = `${folder}/snippet.mts`;
      writeFileSync(file, toProgram(text));
      const child = spawn(process.execPath, ["--import", "tsx", file], { stdio: ["ignore", "ignore", "pipe"] });
      const [[code], errors] = await Promise.all([once(child, "close"), child.stderr.setEncoding("utf8").toArray()]);
      assert.equal(code, 0, errors.join(""));
    });
  }
}

test("docs/configuration.md lists every key (UPDATE=1 writes it)", () => {
  const page = readFileSync("docs/configuration.md", "utf8");
  const wanted = fillSection(
    fillSection(page, "portico", referenceRows(PorticoOptions)),
    "route",
    referenceRows(RouteOptions),
  );
  if (process.env.UPDATE === "1") writeFileSync("docs/configuration.md", wanted);
  else assert.equal(page, wanted);
});
