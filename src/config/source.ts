import { readFile } from "node:fs/promises";
import { isNode, LineCounter, parseDocument } from "yaml";
import type { Problem } from "./problem.ts";

export type Path = readonly (string | number)[];

/** A configuration file: its value, and where each part of it stands. */
export interface ConfigSource {
  readonly file: string;
  readonly value: unknown;
  /** A problem at a path of the value. */
  problem(path: Path, message: string): Problem;
}

/** @throws Problem[] is never thrown: what cannot be parsed is returned as problems */
export async function readConfigSource(file: string): Promise<ConfigSource | Problem[]> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    return [{ file, message: `cannot be read (${(error as NodeJS.ErrnoException).code}); check the path` }];
  }
  return parseConfigSource(file, text);
}

export function parseConfigSource(file: string, text: string): ConfigSource | Problem[] {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false });
  if (document.errors.length > 0) {
    return document.errors.map((error) => {
      const at = lines.linePos(error.pos[0]);
      return { file, line: at.line, column: at.col, message: `is not YAML: ${error.message}` };
    });
  }
  const problems: Problem[] = [];
  const problem = (path: Path, message: string): Problem => {
    for (let depth = path.length; depth >= 0; depth--) {
      const node = depth === 0 ? document.contents : document.getIn(path.slice(0, depth), true);
      if (!isNode(node) || !node.range) continue;
      const at = lines.linePos(node.range[0]);
      return { file, line: at.line, column: at.col, message };
    }
    return { file, message };
  };
  const value = fillEnvironment(document.toJS({ maxAliasCount: 100 }), [], (path, message) => {
    problems.push(problem(path, message));
  });
  return problems.length > 0 ? problems : { file, value, problem };
}

/** A value that was given in code, not in a file. */
export const inlineSource = (file: string, value: unknown): ConfigSource => ({
  file,
  value,
  problem: (_path, message) => ({ file, message }),
});

const VARIABLE = /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g;

/** `${NAME}` and `${NAME:-default}` in any string; an unset variable without a default is a problem, not an empty secret. */
function fillEnvironment(value: unknown, path: Path, complain: (path: Path, message: string) => void): unknown {
  if (typeof value === "string" && value.includes("${")) {
    return value.replace(VARIABLE, (_, name: string, fallback: string | undefined) => {
      const filled = process.env[name] ?? fallback;
      if (filled === undefined)
        complain(path, `${path.join(".")} needs the environment variable ${name}, which is not set`);
      return filled ?? "";
    });
  }
  if (Array.isArray(value)) return value.map((item, i) => fillEnvironment(item, [...path, i], complain));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, fillEnvironment(member, [...path, key], complain)]),
  );
}
