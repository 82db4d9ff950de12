import type { BytePattern } from "./byte-pattern.ts";
import type { ByteReader } from "./byte-reader.ts";
import type { ByteSet } from "./byte-set.ts";
import type { Word } from "./byte-word.ts";
import { isMultiple } from "./equal.ts";
import { toBound } from "./exact.ts";

/** What a value can be: bits of {@link ByteNode.takes}. */
export const OBJECT = 1;
export const ARRAY = 2;
export const TEXT = 4;
export const NUMBER = 8;
export const TRUE = 16;
export const FALSE = 32;
export const NULL = 64;
export const EVERYTHING = 127;

/** What a text must pass, and what is faster where it says yes. */
export interface TextTest {
  readonly test: (text: string) => boolean;
  readonly pattern: BytePattern | undefined;
}

/**
 * What a scan expects of one value. All of them are of one class, so that going from node to node stays a plain call;
 * what does not concern a kind keeps its default.
 */
export class ByteNode {
  takes = 0;
  /** Kinds of which a scan cannot tell. */
  unsure = EVERYTHING;

  texts: readonly TextTest[] = [];
  /** All texts that there can be, with their quotes. Of one with an escape, {@link texts} decides. */
  choices: readonly Word[] = [];
  leastLength = 0;
  mostLength = Number.POSITIVE_INFINITY;

  least = Number.NEGATIVE_INFINITY;
  most = Number.POSITIVE_INFINITY;
  above = Number.NEGATIVE_INFINITY;
  below = Number.POSITIVE_INFINITY;
  isInteger = false;
  factor: number | undefined = undefined;
  numbers: readonly ((value: number | bigint) => boolean)[] = [];

  items: ByteNode | undefined = undefined;
  leastItems = 0;
  mostItems = Number.POSITIVE_INFINITY;
  /** Its items are compared as values, so each text must be read. */
  isUnique = false;

  names: readonly string[] = [];
  /** The names with their quotes and colons. */
  words: readonly Word[] = [];
  members: readonly ByteNode[] = [];
  /** A bit for each member. */
  required = 0;
  /** Members beyond those. */
  others: ReadonlyMap<string, ByteNode> = NO_MEMBERS;
  requiredOthers: ReadonlySet<string> = NO_NAMES;
  hasOthers = false;
  /** Of members without a name here; undefined when there may be none. */
  additional: ByteNode | undefined = undefined;
  leastMembers = 0;
  mostMembers = Number.POSITIVE_INFINITY;

  /** Schemas about the same value: all of them hold, and of each group at least one, or exactly one. */
  hasBranches = false;
  /** It says nothing but by its branches, and of what kind the value is. */
  isOpen = false;
  all: readonly ByteNode[] = [];
  any: readonly (readonly ByteNode[])[] = [];
  one: readonly (readonly ByteNode[])[] = [];

  /** True when the value that stands next is valid; the reader then stands behind it. */
  check(reader: ByteReader): boolean {
    return this.hasBranches ? this.checkBranches(reader) : this.checkOwn(reader);
  }

  private checkOwn(reader: ByteReader): boolean {
    const kind = kindOf(reader.next());
    if ((this.takes & kind) === 0) return this.refuse(reader, kind);
    switch (kind) {
      case OBJECT:
        return this.checkMembers(reader);
      case ARRAY:
        return this.checkItems(reader);
      case TEXT:
        return this.checkText(reader);
      case TRUE:
        return reader.takeTrue();
      case FALSE:
        return reader.takeFalse();
      case NULL:
        return reader.takeNull();
      default:
        return this.checkNumber(reader);
    }
  }

  private takesNext(reader: ByteReader): boolean {
    const kind = kindOf(reader.next());
    return (this.takes & kind) !== 0 || this.refuse(reader, kind);
  }

  private refuse(reader: ByteReader, kind: number): false {
    return (this.unsure & kind) === 0 ? false : reader.giveUp();
  }

  private checkBranches(reader: ByteReader): boolean {
    const { at, depth } = reader;
    if (!reader.enter()) return false;
    const inner = reader.depth;
    if (this.isOpen ? !this.takesNext(reader) : !this.checkOwn(reader)) return false;
    for (const sub of this.all) if (!reader.rewind(at, inner) || !sub.check(reader)) return false;
    for (const group of this.any) if (!checkAny(group, reader, at, inner)) return false;
    for (const group of this.one) if (!checkOne(group, reader, at, inner)) return false;
    reader.depth = depth;
    return true;
  }

  private checkText(reader: ByteReader): boolean {
    const { choices } = this;
    for (const choice of choices) if (reader.takeWord(choice)) return true;
    const length = reader.skipText();
    if (length < 0) return reader.giveUp();
    if (length < this.leastLength || length > this.mostLength) return false;
    const { texts } = this;
    let text: string | undefined;
    for (const { pattern, test } of texts) {
      if (pattern !== undefined && reader.lastTextFits(pattern)) continue;
      text ??= reader.lastText();
      if (!test(text)) return false;
    }
    return true;
  }

  private checkNumber(reader: ByteReader): boolean {
    if (!reader.readNumber()) return false;
    if (reader.isRounded) return this.checkRounded(reader);
    const { number } = reader;
    if (this.isInteger && !Number.isInteger(number)) return false;
    if (number < this.least || number > this.most || number <= this.above || number >= this.below) return false;
    if (this.factor !== undefined && !isMultiple(number, this.factor)) return false;
    const { numbers } = this;
    for (const test of numbers) if (!test(number)) return false;
    return true;
  }

  /** A whole number that no double holds. What a double cannot tell of it, neither can a scan. */
  private checkRounded(reader: ByteReader): boolean {
    const exact = reader.exactNumber();
    const isInBounds = exact >= this.least && exact <= toBound(this.most) && exact > this.above && exact < this.below;
    const isSure = isInBounds && this.factor === undefined && this.numbers.every((test) => test(exact));
    return isSure || reader.giveUp();
  }

  private checkItems(reader: ByteReader): boolean {
    if (!reader.take(0x5b) || !reader.enter()) return false;
    const items = this.items as ByteNode;
    const known = this.isUnique ? new Set<unknown>() : undefined;
    let texts: ByteSet | undefined;
    let count = 0;
    if (reader.next() !== 0x5d) {
      do {
        const first = reader.next();
        const { at } = reader;
        if (!items.check(reader)) return false;
        if (known !== undefined) {
          if (first === 0x22) {
            texts ??= reader.createSet();
            if (!texts.add(at + 1, reader.at - 1)) return false;
          } else {
            if (first === 0x7b || first === 0x5b || reader.isRounded) return reader.giveUp();
            if (!addTo(known, isLetter(first) ? LITERALS[first] : reader.number)) return false;
          }
        }
        count++;
      } while (reader.take(0x2c));
    }
    reader.depth--;
    return count >= this.leastItems && count <= this.mostItems && reader.take(0x5d);
  }

  private checkMembers(reader: ByteReader): boolean {
    if (!reader.take(0x7b) || !reader.enter()) return false;
    let seen = 0;
    let expected = 0;
    let count = 0;
    let others = 0;
    let requiredOthers = 0;
    let many: ByteSet | undefined;
    if (reader.next() !== 0x7d) {
      do {
        const index = this.findMember(reader, expected);
        let member: ByteNode | undefined;
        if (index >= 0) {
          if ((seen & (1 << index)) !== 0) return false;
          seen |= 1 << index;
          expected = index + 1;
          member = this.members[index];
        } else {
          if (index === MALFORMED) return reader.giveUp();
          many ??= reader.takeNames(others);
          if (many === undefined ? !reader.addName(others) : !reader.addNameTo(many)) return false;
          others++;
          member = this.additional;
          if (this.hasOthers) {
            const name = reader.lastText();
            member = this.others.get(name) ?? member;
            if (this.requiredOthers.has(name)) requiredOthers++;
          }
        }
        if (member === undefined || !member.check(reader)) return false;
        count++;
      } while (reader.take(0x2c));
    }
    reader.depth--;
    if ((seen & this.required) !== this.required || requiredOthers < this.requiredOthers.size) return false;
    return count >= this.leastMembers && count <= this.mostMembers && reader.take(0x7d);
  }

  /** The member whose name stands next; members mostly come in the order of the schema. */
  private findMember(reader: ByteReader, expected: number): number {
    const { words } = this;
    const count = words.length;
    reader.next();
    for (let i = expected; i < count; i++) if (reader.takeWord(words[i] as Word)) return i;
    for (let i = 0; i < expected; i++) if (reader.takeWord(words[i] as Word)) return i;
    return this.findOther(reader);
  }

  /** Likewise where white space parts the name from its colon, and of names that are not among the words. */
  private findOther(reader: ByteReader): number {
    if (reader.skipText() < 0) return MALFORMED;
    // With its colon right behind it, it would have been found as a word.
    const { at } = reader;
    if (!reader.take(0x3a)) return MALFORMED;
    return reader.at > at + 1 || reader.hasEscapes ? this.names.indexOf(reader.lastText()) : OTHER;
  }
}

const NO_MEMBERS: ReadonlyMap<string, ByteNode> = new Map();
const NO_NAMES: ReadonlySet<string> = new Set();
const OTHER = -1;
const MALFORMED = -2;

function kindOf(byte: number): number {
  switch (byte) {
    case 0x7b:
      return OBJECT;
    case 0x5b:
      return ARRAY;
    case 0x22:
      return TEXT;
    case 0x74:
      return TRUE;
    case 0x66:
      return FALSE;
    case 0x6e:
      return NULL;
    default:
      return NUMBER;
  }
}

/** `true`, `false` and `null` by their first letters. */
const LITERALS: Readonly<Record<number, unknown>> = { 116: true, 102: false, 110: null };
const isLetter = (byte: number): boolean => byte in LITERALS;

/** @returns false when it is there already */
function addTo(known: Set<unknown>, value: unknown): boolean {
  const { size } = known;
  return known.add(value).size > size;
}

function checkAny(group: readonly ByteNode[], reader: ByteReader, at: number, depth: number): boolean {
  for (const sub of group) {
    if (!reader.rewind(at, depth)) return false;
    if (sub.check(reader)) return true;
  }
  return false;
}

/** A branch that is not accepted counts as invalid only where the scan is sure of that. */
function checkOne(group: readonly ByteNode[], reader: ByteReader, at: number, depth: number): boolean {
  let end = -1;
  for (const sub of group) {
    if (!reader.rewind(at, depth)) return false;
    if (sub.check(reader)) {
      if (end >= 0) return false;
      end = reader.at;
    } else if (reader.isUnsure) return false;
  }
  if (end < 0) return false;
  reader.at = end;
  return true;
}
