import { type FieldGroup, groupsOfAll } from "./field-group.ts";
import { findFieldName } from "./field-names.ts";
import type { Prepared } from "./prepared.ts";

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const UNSAFE_VALUE = /[^\t\x20-\x7e\x80-\xff]/;

/**
 * Header fields in arrival order, as `node:http` gives and takes them: one flat list of name, value, name, value,
 * with a lower-cased index beside it. Not a web `Headers`: that copies, sorts and re-validates on every access.
 * Names compare without case (RFC 9110 §5.1) and keep the spelling they arrived with.
 */
export class HeaderList {
  /** All of the answer written out, by who sends it again and again; gone once a field changes. */
  prepared: Prepared | undefined = undefined;
  private flat: string[];
  private names: string[];
  /** Of the two arrays these are this list's fields: behind them stand what a clone has added to its own. */
  private count: number;
  /** Another list reads the same two arrays: whoever changes a field takes a copy first. */
  private isShared = false;
  /** Every field can stand in a line as it is: told by who read it, and asked of each that came later. */
  private isSafe: boolean;
  /** Bits of the groups that its fields are in; -1 when nobody has looked since one was changed. */
  private groups = -1;

  /**
   * @param flat name, value, name, value …; the list becomes this object's own
   * @param lowerNames the names in lower case, from who has them already
   * @param isSafe the names are tokens, and no value has a control character or one beyond latin1: see {@link toLines}
   */
  constructor(flat: string[] = [], lowerNames?: string[], isSafe = flat.length === 0) {
    this.flat = flat;
    this.count = flat.length >> 1;
    this.isSafe = isSafe;
    if (lowerNames !== undefined) {
      this.names = lowerNames;
      return;
    }
    const names = new Array<string>(flat.length >> 1);
    for (let i = 0; i < names.length; i++) names[i] = (flat[i << 1] as string).toLowerCase();
    this.names = names;
  }

  static from(fields: Iterable<readonly [string, string]> | Record<string, string>): HeaderList {
    const entries =
      Symbol.iterator in fields ? (fields as Iterable<readonly [string, string]>) : Object.entries(fields);
    const flat: string[] = [];
    for (const [name, value] of entries) flat.push(name, value);
    return new HeaderList(flat);
  }

  /** Number of field lines, not of distinct names. */
  get size(): number {
    return this.count;
  }

  /** As it is spelled. @param i less than the size */
  nameAt(i: number): string {
    return this.flat[i << 1] as string;
  }

  /** @param i less than the size */
  valueAt(i: number): string {
    return this.flat[(i << 1) + 1] as string;
  }

  /** The first field line of that name. @param name lower case */
  get(name: string): string | undefined {
    const i = this.indexOf(name, 0);
    return i < 0 ? undefined : this.flat[(i << 1) + 1];
  }

  /** Every field line of that name, in order. @param name lower case */
  getAll(name: string): string[] {
    const values: string[] = [];
    for (let i = this.indexOf(name, 0); i >= 0; i = this.indexOf(name, i + 1)) {
      values.push(this.flat[(i << 1) + 1] as string);
    }
    return values;
  }

  /** All field lines of that name as one list value (RFC 9110 §5.3). @param name lower case */
  getJoined(name: string): string | undefined {
    const i = this.indexOf(name, 0);
    if (i < 0) return undefined;
    return this.indexOf(name, i + 1) < 0 ? this.flat[(i << 1) + 1] : this.getAll(name).join(", ");
  }

  /** Whether there is more than one field line of that name. @param name lower case */
  isRepeated(name: string): boolean {
    const i = this.indexOf(name, 0);
    return i >= 0 && this.indexOf(name, i + 1) >= 0;
  }

  has(name: string): boolean {
    return this.indexOf(name, 0) >= 0;
  }

  hasAnyOf({ bit }: FieldGroup): boolean {
    if (this.groups < 0) this.groups = groupsOfAll(this.names, this.count);
    return (this.groups & bit) !== 0;
  }

  /** Replaces every field line of that name by one. */
  set(name: string, value: string): void {
    const lower = findFieldName(name)?.lower ?? name.toLowerCase();
    const i = this.indexOf(lower, 0);
    if (i < 0) {
      this.append(name, value);
      return;
    }
    this.willChange();
    if (this.isSafe && UNSAFE_VALUE.test(value)) this.isSafe = false;
    this.flat[(i << 1) + 1] = value;
    if (this.indexOf(lower, i + 1) >= 0) this.removeFrom(lower, i + 1);
  }

  append(name: string, value: string): void {
    const known = findFieldName(name);
    const lower = known?.lower ?? name.toLowerCase();
    if (this.isSafe && (UNSAFE_VALUE.test(value) || (known === undefined && !TOKEN.test(lower)))) this.isSafe = false;
    this.push(name, lower, value);
  }

  /** One that needs no check. @param lower the name in lower case @param value without control characters, latin1 at most */
  appendSafe(name: string, lower: string, value: string): void {
    this.push(name, lower, value);
  }

  delete(name: string): void {
    const lower = name.toLowerCase();
    if (this.indexOf(lower, 0) < 0) return;
    this.willChange();
    this.removeFrom(lower, 0);
  }

  /** Keeps the field lines for which `keep` says so. The callback sees the lower-cased name. */
  filter(keep: (lowerName: string, value: string) => boolean): void {
    this.willChange();
    let kept = 0;
    for (let i = 0; i < this.count; i++) {
      const lower = this.names[i] as string;
      const value = this.flat[(i << 1) + 1] as string;
      if (!keep(lower, value)) continue;
      if (kept !== i) this.move(i, kept);
      kept++;
    }
    this.truncate(kept);
  }

  /** Calls back with name as spelled, value and lower-cased name. */
  forEach(each: (name: string, value: string, lowerName: string) => void): void {
    for (let i = 0; i < this.count; i++) {
      each(this.flat[i << 1] as string, this.flat[(i << 1) + 1] as string, this.names[i] as string);
    }
  }

  *[Symbol.iterator](): IterableIterator<[string, string]> {
    for (let i = 0; i < this.count; i++) {
      yield [this.flat[i << 1] as string, this.flat[(i << 1) + 1] as string];
    }
  }

  /** The flat list itself, for `writeHead`; not a copy, so do not change it. */
  toFlat(): string[] {
    if (this.names.length !== this.count) this.takeOwn();
    return this.flat;
  }

  /**
   * The field lines as HTTP/1.1 sends them, each with its CR LF.
   * @param skipped lower-cased names that are left out
   * @param left takes what is left out: name, value, name, value …
   * @returns undefined when a name or value cannot stand in one: it would end the line, or be cut to another character
   */
  toLines(skipped: ReadonlySet<string>, left?: string[]): string | undefined {
    const { isSafe } = this;
    let lines = "";
    for (let i = 0; i < this.count; i++) {
      const lower = this.names[i] as string;
      const value = this.flat[(i << 1) + 1] as string;
      if (!isSafe && (UNSAFE_VALUE.test(value) || !TOKEN.test(lower))) return undefined;
      if (skipped.has(lower)) {
        left?.push(this.flat[i << 1] as string, value);
        continue;
      }
      lines += `${this.flat[i << 1]}: ${value}\r\n`;
    }
    return lines;
  }

  /** Every name is a token, and no value has a line break or a character beyond latin1. False where nobody has looked. */
  get isKnownSafe(): boolean {
    return this.isSafe;
  }

  /** The first field that can stand in no line. Asked once: a list in which there is none is known to be safe. */
  findUnsafe(): string | undefined {
    if (this.isSafe || this.prepared !== undefined) return undefined;
    for (let i = 0; i < this.count; i++) {
      const value: unknown = this.flat[(i << 1) + 1];
      const isText = typeof value === "string";
      if (!isText || UNSAFE_VALUE.test(value) || !TOKEN.test(this.names[i] as string)) return this.names[i] as string;
    }
    this.isSafe = true;
    return undefined;
  }

  /** Costs next to nothing until one of the two is changed; what is only added at the end of one costs none after that. */
  clone(): HeaderList {
    const copy = new HeaderList(this.flat, this.names, this.isSafe);
    copy.count = this.count;
    copy.groups = this.groups;
    copy.prepared = this.prepared;
    copy.isShared = true;
    this.isShared = true;
    return copy;
  }

  private indexOf(name: string, from: number): number {
    const i = this.names.indexOf(name, from);
    return i < this.count ? i : -1;
  }

  /** Behind the fields of all who share the arrays there is room for one of them: the others do not look there. */
  private push(name: string, lower: string, value: string): void {
    this.prepared = undefined;
    this.groups = -1;
    if (this.names.length !== this.count) this.takeOwnWithRoom();
    this.flat.push(name, value);
    this.names.push(lower);
    this.count++;
  }

  private willChange(): void {
    this.prepared = undefined;
    this.groups = -1;
    if (this.isShared) this.takeOwn();
  }

  private takeOwn(): void {
    this.flat = this.flat.slice(0, this.count << 1);
    this.names = this.names.slice(0, this.count);
    this.isShared = false;
  }

  /** A `slice` leaves no room: with the first field that is added to it, all of it would be copied again. */
  private takeOwnWithRoom(): void {
    const flat: string[] = [];
    const names: string[] = [];
    for (let i = 0; i < this.count; i++) {
      flat.push(this.flat[i << 1] as string, this.flat[(i << 1) + 1] as string);
      names.push(this.names[i] as string);
    }
    this.flat = flat;
    this.names = names;
    this.isShared = false;
  }

  private removeFrom(lower: string, start: number): void {
    let kept = start;
    for (let i = start; i < this.count; i++) {
      if (this.names[i] === lower) continue;
      if (kept !== i) this.move(i, kept);
      kept++;
    }
    this.truncate(kept);
  }

  private move(from: number, to: number): void {
    this.names[to] = this.names[from] as string;
    this.flat[to << 1] = this.flat[from << 1] as string;
    this.flat[(to << 1) + 1] = this.flat[(from << 1) + 1] as string;
  }

  private truncate(length: number): void {
    if (length === this.count) return;
    this.count = length;
    this.names.length = length;
    this.flat.length = length << 1;
  }
}
