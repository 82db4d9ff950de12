import { toPointer } from "./json.ts";

interface Place {
  readonly file: string;
  readonly pointer: string;
}

/** Where each mapping and list of some files stands. Made for lints: of a large document it is many. */
export class Places {
  private readonly known = new Map<object, Place>();
  private readonly root: Place;

  constructor(files: Iterable<{ readonly file: string; readonly value: unknown }>, root: string) {
    this.root = { file: root, pointer: "" };
    for (const { file, value } of files) this.walk(file, value, []);
  }

  find(node: object, key: string | undefined): Place {
    const { file, pointer } = this.known.get(node) ?? this.root;
    return key === undefined ? { file, pointer } : { file, pointer: pointer + toPointer([key]) };
  }

  private walk(file: string, node: unknown, path: string[]): void {
    // What an alias of YAML repeats stands where it was written first.
    if (typeof node !== "object" || node === null || this.known.has(node)) return;
    this.known.set(node, { file, pointer: toPointer(path) });
    for (const [key, value] of Object.entries(node)) {
      path.push(key);
      this.walk(file, value, path);
      path.pop();
    }
  }
}
