// `npm test [-- path-part …]`: every test file, or those whose path contains one of the words.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { availableParallelism } from "node:os";

const words = process.argv.slice(2);
const files = readdirSync("test", { recursive: true })
  .map((name) => `test/${name}`)
  .filter((name) => name.endsWith(".test.ts"))
  .filter((name) => words.length === 0 || words.some((word) => name.includes(word)))
  .sort();
const flags = ["--enable-source-maps", "--import", "tsx", "--test", `--test-concurrency=${availableParallelism()}`];
const { status } = spawnSync(process.execPath, [...flags, "--test-timeout=120000", ...files], { stdio: "inherit" });
process.exit(status ?? 1);
