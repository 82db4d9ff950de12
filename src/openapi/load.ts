import { readdir, readFile, stat } from "node:fs/promises";
import { extname, join, resolve } from "node:path";
import { parseSource } from "./parse.ts";
import { SpecError } from "./spec-error.ts";

/** A parsed file. */
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

/** UTF-16 is what some editors of Windows save as "Unicode". */
const decode = (bytes: Buffer): string =>
  bytes[0] === 0xff && bytes[1] === 0xfe ? bytes.toString("utf16le") : bytes.toString("utf8");

/** @throws SpecError when the file cannot be read or parsed */
export async function readDocument(file: string): Promise<SourceDocument> {
  let text: string;
  try {
    // Decoded as a whole: in pieces, as `readFile` does it, costs twice as much.
    text = decode(await readFile(file));
  } catch (cause) {
    throw new SpecError("cannot be read; check the path", { file }, { cause });
  }
  const value = parseSource(text, file);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new SpecError("is not a mapping; an OpenAPI document starts with `openapi: 3.1.0`", { file });
  }
  return { file, value: value as Record<string, unknown> };
}
