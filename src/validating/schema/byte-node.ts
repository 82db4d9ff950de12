import type { ByteReader, Word } from "./byte-reader.ts";
import { isMultiple } from "./equal.ts";

export type NodeKind = "never" | "object" | "array" | "text" | "number" | "boolean";

const MAX_DEPTH = 128;

/**
 * What a scan expects of one value. All of them are of one class, so that going from node to node stays a plain call;
 * what does not concern a kind keeps its default.
 */
export class ByteNode {
  kind: NodeKind = "never";
  isNullable = false;
  /** Of a number its bounds, of a text its length, of an array its count. */
  least = Number.NEGATIVE_INFINITY;
  most = Number.POSITIVE_INFINITY;
  above = Number.NEGATIVE_INFINITY;
  below = Number.POSITIVE_INFINITY;
  isInteger = false;
  factor: number | undefined = undefined;
  format: ((value: number) => boolean) | undefined = undefined;
  texts: readonly ((text: string) => boolean)[] = [];
  items: ByteNode | undefined = undefined;
  names: readonly string[] = [];
  /** The names with their quotes and colons. */
  words: readonly Word[] = [];
  members: readonly ByteNode[] = [];
  /** A bit for each member. */
  required = 0;

  /** True when the value that stands next is valid; the reader then stands behind it. */
  check(reader: ByteReader): boolean {
    if (this.isNullable && reader.next() === 0x6e) return reader.takeNull();
    switch (this.kind) {
      case "object":
        return this.checkMembers(reader);
      case "array":
        return this.checkItems(reader);
      case "text":
        return this.checkText(reader);
      case "number":
        return this.checkNumber(reader);
      case "boolean":
        return reader.takeBoolean();
      default:
        return false;
    }
  }

  private checkText(reader: ByteReader): boolean {
    const length = reader.skipText();
    if (length < 0 || length < this.least || length > this.most) return false;
    const { texts } = this;
    if (texts.length === 0) return true;
    const text = reader.lastText(length);
    for (const test of texts) if (!test(text)) return false;
    return true;
  }

  private checkNumber(reader: ByteReader): boolean {
    if (!reader.readNumber() || (this.isInteger && !reader.isWhole)) return false;
    const { number } = reader;
    if (number < this.least || number > this.most || number <= this.above || number >= this.below) return false;
    if (this.factor !== undefined && !isMultiple(number, this.factor)) return false;
    return this.format === undefined || this.format(number);
  }

  private checkItems(reader: ByteReader): boolean {
    if (!reader.take(0x5b) || ++reader.depth > MAX_DEPTH) return false;
    const items = this.items as ByteNode;
    let count = 0;
    if (reader.next() !== 0x5d) {
      do {
        if (!items.check(reader)) return false;
        count++;
      } while (reader.take(0x2c));
    }
    reader.depth--;
    return count >= this.least && count <= this.most && reader.take(0x5d);
  }

  private checkMembers(reader: ByteReader): boolean {
    if (!reader.take(0x7b) || ++reader.depth > MAX_DEPTH) return false;
    let seen = 0;
    let expected = 0;
    if (reader.next() !== 0x7d) {
      do {
        const index = this.findMember(reader, expected);
        // Unknown, or there before.
        if (index < 0 || (seen & (1 << index)) !== 0) return false;
        if (!(this.members[index] as ByteNode).check(reader)) return false;
        seen |= 1 << index;
        expected = index + 1;
      } while (reader.take(0x2c));
    }
    reader.depth--;
    return (seen & this.required) === this.required && reader.take(0x7d);
  }

  /** The member whose name stands next; members mostly come in the order of the schema. @returns −1 for none of them */
  private findMember(reader: ByteReader, expected: number): number {
    const { words } = this;
    const count = words.length;
    reader.next();
    for (let i = expected; i < count; i++) if (reader.takeWord(words[i] as Word)) return i;
    for (let i = 0; i < expected; i++) if (reader.takeWord(words[i] as Word)) return i;
    return this.findSpaced(reader);
  }

  /** Likewise where white space parts the name from its colon. */
  private findSpaced(reader: ByteReader): number {
    const length = reader.skipText();
    const index = length < 0 ? -1 : this.names.indexOf(reader.lastText(length));
    return reader.take(0x3a) ? index : -1;
  }
}
