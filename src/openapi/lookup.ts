import { findByPointer, isObject } from "./json.ts";
import { MAX_DEPTH } from "./parse.ts";

/** Finds what canonical references, `file#/pointer`, point to; each of them once. */
export class Lookup {
  private readonly rootOf: (file: string) => unknown;
  private readonly found = new Map<string, unknown>();
  /** References that are being followed: one that leads through itself leads nowhere. */
  private readonly following = new Set<string>();

  /** @param rootOf the value of a file, by the name that references have for it */
  constructor(rootOf: (file: string) => unknown) {
    this.rootOf = rootOf;
  }

  find(reference: string): unknown {
    let value = this.found.get(reference);
    if (value === undefined) {
      const hash = reference.indexOf("#");
      const root = this.rootOf(reference.slice(0, hash));
      const pointer = reference.slice(hash + 1);
      value = findByPointer(root, pointer);
      if (value === undefined && !this.following.has(reference)) {
        this.following.add(reference);
        value = this.findThrough(root, pointer);
        this.following.delete(reference);
      }
      this.found.set(reference, value);
    }
    return value;
  }

  /** Follows a pointer through what stands in its way by reference alone, as `#/paths/~1pets/get` where the path is in a file. */
  private findThrough(root: unknown, pointer: string): unknown {
    let value = root;
    for (const token of pointer.split("/").slice(1)) {
      for (let i = 0; i < MAX_DEPTH && isObject(value) && typeof value.$ref === "string"; i++) {
        value = this.find(value.$ref);
      }
      value = findByPointer(value, `/${token}`);
    }
    return value;
  }
}
