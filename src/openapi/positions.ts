import { readFileSync } from "node:fs";
import { EVENT_ID, getScalarValue, parseEvents } from "js-yaml";
import type { SourceLocation } from "../core/operation.ts";
import { parsePointer } from "./json.ts";

/** A place that is looked for, and the places under it. */
interface Wanted {
  readonly pointers: string[];
  readonly children: Map<string, Wanted>;
}
interface Frame {
  readonly isMap: boolean;
  readonly wanted: Wanted | undefined;
  /** In a mapping, what is wanted of the value that comes next; undefined while a key is awaited. */
  next: { readonly wanted: Wanted | undefined } | undefined;
  index: number;
}

/**
 * Where places of a file stand. Reads the file again: the text of a 13 MB document is not worth keeping for the one
 * error that may need it. What does not exist has the position of what is nearest above it.
 */
export function locateAll(file: string, pointers: readonly string[]): Map<string, SourceLocation> {
  const finder = new PositionFinder(pointers);
  let text = "";
  try {
    text = readFileSync(file, "utf8");
    if (/^\s*[{[]/.test(text.slice(0, 200))) scanJson(text, finder);
    else scanYaml(text, finder);
  } catch {
    // Gone, changed since it was read, or never a file: what was found so far is still the best answer.
  }
  return finder.locations(file, text);
}

class PositionFinder {
  private readonly root: Wanted = { pointers: [], children: new Map() };
  private readonly pointers: readonly string[];
  private readonly offsets = new Map<string, number>();
  private readonly stack: Frame[] = [];

  constructor(pointers: readonly string[]) {
    this.pointers = pointers;
    for (const pointer of pointers) {
      let wanted = this.root;
      // The places above are marked too, for when the place itself does not exist.
      wanted.pointers.push(pointer);
      for (const key of parsePointer(pointer)) {
        let child = wanted.children.get(key);
        if (child === undefined) {
          child = { pointers: [], children: new Map() };
          wanted.children.set(key, child);
        }
        child.pointers.push(pointer);
        wanted = child;
      }
    }
  }

  open(isMap: boolean, offset: number): void {
    this.stack.push({ isMap, wanted: this.value(offset), next: undefined, index: 0 });
  }

  close(): void {
    this.stack.pop();
  }

  /** @param text of the scalar, asked for only when it may be a key that is wanted */
  scalar(text: () => string, offset: number): void {
    const frame = this.stack[this.stack.length - 1];
    if (!frame?.isMap || frame.next !== undefined) {
      this.value(offset);
      return;
    }
    const wanted = frame.wanted?.children.get(text());
    if (wanted !== undefined) this.mark(wanted, offset);
    frame.next = { wanted };
  }

  locations(file: string, text: string): Map<string, SourceLocation> {
    const found = new Map<string, SourceLocation>(this.pointers.map((pointer) => [pointer, { file }]));
    let line = 1;
    let lineStart = 0;
    for (const [pointer, offset] of [...this.offsets].sort((a, b) => a[1] - b[1])) {
      for (let end = text.indexOf("\n", lineStart); end >= 0 && end < offset; end = text.indexOf("\n", lineStart)) {
        line++;
        lineStart = end + 1;
      }
      found.set(pointer, { file, line, column: offset - lineStart + 1 });
    }
    return found;
  }

  /** A value begins. @returns what is wanted inside it */
  private value(offset: number): Wanted | undefined {
    const frame = this.stack[this.stack.length - 1];
    if (frame === undefined) {
      this.mark(this.root, offset);
      return this.root;
    }
    if (frame.isMap) {
      const { next } = frame;
      // A key that is no scalar (YAML allows it) leads nowhere.
      frame.next = next === undefined ? { wanted: undefined } : undefined;
      return next?.wanted;
    }
    const wanted = frame.wanted?.children.get(String(frame.index++));
    if (wanted !== undefined) this.mark(wanted, offset);
    return wanted;
  }

  private mark(wanted: Wanted, offset: number): void {
    for (const pointer of wanted.pointers) this.offsets.set(pointer, offset);
  }
}

function scanYaml(text: string, finder: PositionFinder): void {
  for (const event of parseEvents(text, { maxDepth: 1000 })) {
    if (event.type === EVENT_ID.MAPPING) finder.open(true, event.start);
    else if (event.type === EVENT_ID.SEQUENCE) finder.open(false, event.start);
    else if (event.type === EVENT_ID.SCALAR) finder.scalar(() => getScalarValue(text, event), event.valueStart);
    else if (event.type === EVENT_ID.ALIAS) finder.scalar(() => "", event.anchorStart);
    else if (event.type === EVENT_ID.POP) finder.close();
  }
}

function scanJson(text: string, finder: PositionFinder): void {
  const tokens = /"(?:[^"\\]|\\.)*"|[{}[\]]|[^\s{}[\],:"]+/g;
  for (let match = tokens.exec(text); match !== null; match = tokens.exec(text)) {
    const token = match[0];
    if (token === "{" || token === "[") finder.open(token === "{", match.index);
    else if (token === "}" || token === "]") finder.close();
    else finder.scalar(() => (token.startsWith('"') ? String(JSON.parse(token)) : token), match.index);
  }
}
