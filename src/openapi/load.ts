import { readdir, stat } from "node:fs/promises";
import { extname, join, resolve } from "node:path";
import { Pace } from "../core/pace.ts";
import { readAside } from "./read-aside.ts";
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

/** @throws SpecError when the file cannot be read or parsed */
export async function readDocument(file: string, pace = Pace.inOneGo): Promise<SourceDocument> {
  const value = await readAside(file, pace);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new SpecError("is not a mapping; an OpenAPI document starts with `openapi: 3.1.0`", {
      file,
      line: 1,
      column: 1,
    });
  }
  return { file, value: value as Record<string, unknown> };
}
