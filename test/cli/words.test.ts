import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { USAGE } from "../../src/cli/usage.ts";
import { folderWith, portico } from "../support/cli.ts";

test("every command has a help of its own", async () => {
  const main = await readFile("src/cli/main.ts", "utf8");
  const commands = [...main.matchAll(/^ {2}"?([a-z-]+)"?: async \(\) => \(await import/gm)].map(([, name]) => name);
  assert.deepEqual(commands.sort(), Object.keys(USAGE).sort());
  for (const [name, usage] of Object.entries(USAGE)) assert.ok(usage.startsWith(`portico ${name}`), name);
});

for (const command of ["start", "registry", "api-key"]) {
  test(`${command} says with --help what it does, and refuses an option that it does not know`, async () => {
    const [help, wrong] = await Promise.all([
      portico(command, "--help").finished,
      portico(command, "--no-such-option").finished,
    ]);
    assert.equal(help.code, 0);
    assert.match(help.stdout, new RegExp(`^portico ${command} `));
    assert.equal(wrong.code, 2);
    assert.match(
      wrong.stderr,
      new RegExp(`^portico ${command}: Unknown option '--no-such-option'\\n\\nportico ${command} `),
    );
  });
}

const WORDS: [string, string[], number, RegExp][] = [
  ["no words at all", [], 0, /^portico: an API gateway/],
  ["--help", ["--help"], 0, /^portico: an API gateway/],
  ["help with a command", ["help", "check"], 0, /^portico check/],
  ["the version", ["--version"], 0, /^\d+\.\d+\.\d+\n$/],
  ["a mistyped command", ["strat"], 2, /^strat is not a command; did you mean start\?/],
  ["a command that is none", ["__proto__"], 2, /^__proto__ is not a command\n/],
  ["a port that is none", ["start", "--port", "x"], 1, /^--port is x; write a number from 0 to 65535\n$/],
];
for (const [what, words, exit, said] of WORDS) {
  test(`the command answers ${what}`, async () => {
    const { code, stdout, stderr } = await portico(...words).finished;
    assert.equal(code, exit);
    assert.match(exit === 0 ? stdout : stderr, said);
  });
}

test("init writes a gateway that starts and answers, and never over a file", async (t) => {
  const folder = await folderWith(t, { "mine.yaml": "" });
  const run = (...words: string[]) =>
    spawnSync(process.execPath, ["--import", import.meta.resolve("tsx"), resolve("src/cli/main.ts"), ...words], {
      cwd: folder,
      encoding: "utf8",
    });
  assert.equal(run("init").status, 0);
  const check = run("check");
  assert.equal(check.stdout, "ok: 1 operations\n", check.stderr);
  assert.equal(check.stderr, "");
  assert.match(run("init").stdout, /portico\.yaml is there already, and stays as it is/);
  const running = portico("start", "--config", join(folder, "portico.yaml"), "--port", "0");
  t.after(() => running.child.kill("SIGKILL"));
  const [, url] = await running.printed(/listening on (\S+)/);
  assert.deepEqual(await (await fetch(`${url}/hello/you`)).json(), { text: "Hello!" });
});

test("init makes a route of a spec, with each scheme that somebody has to enforce", async (t) => {
  const folder = await folderWith(t, {});
  const run = (...words: string[]) =>
    spawnSync(process.execPath, ["--import", import.meta.resolve("tsx"), resolve("src/cli/main.ts"), ...words], {
      cwd: folder,
      encoding: "utf8",
    });
  const made = run("init", resolve("openapi/petstore.yaml"), "--service", "petstore", "--prefix", "/shop");
  assert.equal(made.status, 0, made.stderr);
  const route = await readFile(join(folder, "routes/petstore.yaml"), "utf8");
  assert.match(route, /"bearerAuth": upstream {3}# the service checks it; or \{ jwt:/);
  const check = run("check");
  assert.match(check.stdout, /^ok: \d+ operations\n$/, check.stderr);
  assert.match(run("init", "nowhere.yaml").stderr, /^nowhere\.yaml cannot be read; check the path\n$/);
  assert.equal(run("init", "--upstream", "x").status, 2);
});
