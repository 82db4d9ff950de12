import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spec } from "../validated-spec.mjs";

// In production it forks; one process is measured.
delete process.env.NODE_ENV;
const [, , port, upstream, document] = process.argv;
let file = document;
if (file === undefined) {
  file = join(tmpdir(), "portico-bench-orders.json");
  writeFileSync(file, JSON.stringify(spec));
}
process.argv = [
  process.argv[0],
  "prism",
  "proxy",
  "-p",
  port,
  "-h",
  "127.0.0.1",
  "-v",
  "error",
  file,
  `http://127.0.0.1:${upstream}`,
];
createRequire(import.meta.url)("@stoplight/prism-cli/dist/index.js");
