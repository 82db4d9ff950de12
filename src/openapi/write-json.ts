import type { Work } from "../core/pace.ts";
import { isObject } from "./json.ts";

/** Members of a document's `components.schemas` are the deepest that are written one by one. */
const DEPTH = 3;
const CHUNK_LENGTH = 65_536;

/** A document as JSON, written in steps. */
export function* writeJson(document: unknown): Work<Buffer> {
  const writer = new Writer();
  yield* writer.write(document, 0);
  return writer.bytes();
}

class Writer {
  private readonly chunks: Buffer[] = [];
  private text = "";

  *write(value: unknown, depth: number): Work<void> {
    if (!isObject(value) || depth === DEPTH) {
      this.add(JSON.stringify(value) ?? "null");
      yield;
      return;
    }
    let separator = "{";
    for (const [key, member] of Object.entries(value)) {
      if (member === undefined) continue;
      this.add(`${separator}${JSON.stringify(key)}:`);
      yield* this.write(member, depth + 1);
      separator = ",";
    }
    this.add(separator === "{" ? "{}" : "}");
  }

  bytes(): Buffer {
    this.flush();
    return Buffer.concat(this.chunks);
  }

  private add(text: string): void {
    this.text += text;
    if (this.text.length >= CHUNK_LENGTH) this.flush();
  }

  private flush(): void {
    this.chunks.push(Buffer.from(this.text));
    this.text = "";
  }
}
