import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

/** The stairs: a file imports its own room or a lower floor, never sideways, never up. ARCHITECTURE.md draws them. */
const FLOORS: Readonly<Record<string, number>> = {
  core: 0,
  openapi: 1,
  storage: 1,
  telemetry: 1,
  routing: 2,
  validating: 2,
  caching: 2,
  discovery: 2,
  balancing: 2,
  forwarding: 2,
  pipeline: 2,
  config: 3,
  gateway: 4,
  registry: 5,
  admin: 5,
  portal: 5,
  runtime: 6,
  demo: 6,
  cli: 7,
};
/** The two doors, and the small doors beside them, by the floor they stand on. */
const DOORS: Readonly<Record<string, number>> = { "index.ts": 8, "plugin.ts": 3, "register.ts": 3, "testing.ts": 8 };

const files = (folder: string): string[] =>
  !existsSync(folder)
    ? []
    : readdirSync(folder, { recursive: true })
        .map((name) => `${folder}/${name}`)
        .filter((name) => name.endsWith(".ts"));
const imports = (file: string): string[] =>
  [...readFileSync(file, "utf8").matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g)].map((match) =>
    new URL(match[1] as string, `file:///${file}`).pathname.slice(1),
  );
const place = (file: string): { room: string; floor: number } => {
  const parts = file.split("/");
  const room = parts[1] as string;
  return { room, floor: FLOORS[room] ?? DOORS[room] ?? Number.NaN };
};

test("every file of src stands in a known room", () => {
  for (const file of files("src")) assert.ok(!Number.isNaN(place(file).floor), `${file} has no floor`);
});

test("a file imports its own room or a lower floor", () => {
  for (const file of files("src")) {
    const from = place(file);
    for (const target of imports(file)) {
      const to = place(target);
      assert.ok(from.room === to.room || from.floor > to.floor, `${file} must not import ${target}`);
    }
  }
});

test("rooms make option schemas by core/type.ts, as the whole of TypeBox would be loaded at each start", () => {
  for (const file of files("src").filter((name) => name !== "src/plugin.ts")) {
    assert.doesNotMatch(readFileSync(file, "utf8"), /^(?:import|export) (?!type ).* from "typebox/m, file);
  }
});

test("a built-in plugin imports only the plugin author's door", () => {
  for (const file of files("plugins")) {
    for (const target of imports(file)) {
      assert.ok(target === "src/plugin.ts" || target.startsWith("plugins/"), `${file} must not import ${target}`);
    }
  }
});

test("no file is longer than 300 lines: split it by idea", () => {
  for (const file of [...files("src"), ...files("plugins")]) {
    const lines = readFileSync(file, "utf8").split("\n").length - 1;
    assert.ok(lines <= 300, `${file} has ${lines} lines`);
  }
});

/** Packages that are loaded with a file, through all that it imports at once; types and `import()` load nothing. */
function packagesLoadedBy(entry: string): Set<string> {
  const packages = new Set<string>();
  const seen = new Set<string>();
  const queue = [entry];
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    for (const [, what = "", from = ""] of readFileSync(file, "utf8").matchAll(
      /^(?:import|export)\s+(?:([^;"=()]*?)\s+from\s+)?"([^"]+)";/gm,
    )) {
      if (/^type\s/.test(what) || from.startsWith("node:")) continue;
      if (from.startsWith(".")) queue.push(new URL(from, `file:///${file}`).pathname.slice(1));
      else packages.add(from.split("/")[0] as string);
    }
  }
  return packages;
}

test("a plain start loads only the packages that every gateway uses: others wait in core/lazy.ts or behind import()", () => {
  assert.deepEqual([...packagesLoadedBy("src/cli/start.ts")].sort(), ["ajv", "ipaddr.js", "js-yaml", "pino", "yaml"]);
});
