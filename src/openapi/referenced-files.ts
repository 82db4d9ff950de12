import { readFileSync, realpathSync, statSync } from "node:fs";
import type { Work } from "../core/pace.ts";
import { isLarge, readAside } from "./read-aside.ts";
import { readSource } from "./read-source.ts";
import type { ReadableFolders } from "./readable-folders.ts";

/** Files that a document refers to, as far as it may read them. */
export class ReferencedFiles {
  private readonly readable: ReadableFolders;
  private readonly read = new Map<string, unknown>();

  constructor(readable: ReadableFolders) {
    this.readable = readable;
  }

  /**
   * @param text the reference, as it is written
   * @param fail throws, with the place of the reference
   * @returns a mapping, a list, a schema that takes all or nothing, or text that is no YAML
   */
  *open(
    file: string,
    text: string,
    fail: (message: string, cause?: unknown) => never,
  ): Work<object | string | boolean> {
    const outside =
      `$ref "${text}" leaves the folder of the spec and is not read; keep what it needs in that folder or in another ` +
      "folder of the project, or name a folder with the route's key references";
    if (!this.readable.has(file)) fail(outside);
    let real: string;
    try {
      real = realpathSync(file);
    } catch (cause) {
      return fail(`$ref "${text}" names a file that does not exist`, cause);
    }
    // A link inside the folder may lead out of it.
    if (!this.readable.real.has(real)) fail(outside);
    // `ref.yaml/#/paths` names a folder of that name, and so may `.` and `schemas`.
    if (file.endsWith("/") || !statSync(real).isFile()) fail(`$ref "${text}" names a folder; name a file`);
    // Descriptions are kept in files of their own.
    if (/\.(?:md|markdown|txt|html?)$/i.test(file)) return readFileSync(file, "utf8");
    if (isLarge(file)) {
      yield async (pace) => {
        this.read.set(file, await readAside(file, pace));
      };
    }
    const value = this.read.get(file) ?? readSource(file);
    this.read.delete(file);
    return (typeof value === "object" && value !== null) || typeof value === "boolean"
      ? value
      : fail(`$ref "${text}" names a file that holds neither mapping nor list`);
  }
}
