import { closeSync, existsSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const MAX_FILES = 5_000;
const MAX_DEPTH = 10;
/** A name stands at the top of a file. */
const HEAD_BYTES = 4_096;
const NAME = /(?:^[\s{]*|[{,]\s*)["']?\$(?:self|id)["']?\s*:\s*["']?([^\s"',#]+)/m;
/** Of draft 4, where many things that are no names of files are called so, too. */
const OLD_NAME = /(?:^[\s{]*|[{,]\s*)["']?id["']?\s*:\s*["']?([a-z][a-z0-9+.-]*:[^\s"',#]+)/m;

/**
 * Files of a folder by the name that they give themselves, `$self` of a document of 3.2, `$id` (once `id`) of a schema: what refers
 * to one by that name needs no fetch. Looked through only when something is referred to that nothing else explains.
 */
export class NamedFiles {
  private readonly folder: string;
  private files: Map<string, string> | undefined;

  constructor(folder: string) {
    this.folder = folder;
  }

  find(uri: string): string | undefined {
    this.files ??= readNames(this.folder);
    return this.files.get(uri);
  }
}

/** Whether a URI is that of a file that exists. */
export const isThere = (uri: string): boolean =>
  uri.startsWith("file:///") && !/%(2f|5c|00)/i.test(uri) && existsSync(fileURLToPath(uri));

function readNames(root: string): Map<string, string> {
  const names = new Map<string, string>();
  const folders = [{ folder: root, depth: 0 }];
  let count = 0;
  for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
    const { folder, depth } = next;
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.name.startsWith(".") || entry.name === "node_modules") continue;
      if (entry.isDirectory() && depth < MAX_DEPTH) folders.push({ folder: path, depth: depth + 1 });
      if (!entry.isFile() || !/\.(?:json|ya?ml)$/.test(entry.name)) continue;
      if (++count > MAX_FILES) return names;
      const head = readHead(path);
      const name = (NAME.exec(head) ?? OLD_NAME.exec(head))?.[1];
      if (name !== undefined) names.set(name, path);
    }
  }
  return names;
}

function readHead(file: string): string {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, "r");
    const bytes = Buffer.alloc(HEAD_BYTES);
    return bytes.toString("utf8", 0, readSync(descriptor, bytes, 0, HEAD_BYTES, 0));
  } catch {
    // What cannot be read has no name that anybody could use.
    return "";
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
