import { readdir, readFile, stat } from "node:fs/promises";
import { extname, join, resolve } from "node:path";
import { LineCounter, parseDocument } from "yaml";
import { SpecError } from "./spec-error.ts";

/** A parsed file and where each of its values stands. */
export interface SourceDocument {
  readonly file: string;
  readonly value: Record<string, unknown>;
}

const EXTENSIONS = new Set([".yaml", ".yml", ".json"]);

/** The spec files under a path: itself, or all of a folder's (not of its subfolders, which hold what they refer to). */
export async function listSpecFiles(path: string): Promise<string[]> {
  if (!(await stat(path)).isDirectory()) return [resolve(path)];
  const names = (await readdir(path)).filter((name) => EXTENSIONS.has(extname(name))).sort();
  return names.map((name) => resolve(join(path, name)));
}

/** @throws SpecError when the file cannot be read or parsed */
export async function readDocument(file: string): Promise<SourceDocument> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new SpecError("cannot be read; check the path", { file }, { cause });
  }
  const value = extname(file) === ".json" ? parseJson(text, file) : parseYaml(text, file);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new SpecError("is not a mapping; an OpenAPI document starts with `openapi: 3.1.0`", { file });
  }
  return { file, value: value as Record<string, unknown> };
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SpecError(`is not JSON: ${(cause as Error).message}`, { file }, { cause });
  }
}

function parseYaml(text: string, file: string): unknown {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false });
  const first = document.errors[0];
  if (first !== undefined) {
    const at = lines.linePos(first.pos[0]);
    throw new SpecError(`is not YAML: ${first.message}`, { file, line: at.line, column: at.col }, { cause: first });
  }
  // An alias bomb (billion laughs) would expand to gigabytes: the library stops at this many. ATTACKS 51.
  return document.toJS({ maxAliasCount: 100 });
}
