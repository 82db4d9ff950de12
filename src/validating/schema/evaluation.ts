import { escapeToken, type Finding } from "../violation.ts";
import type { SchemaObject } from "./keywords.ts";
import type { Resource, Resources } from "./resources.ts";

/** Which way a message goes: what is `readOnly` may not be sent, what is `writeOnly` may not be answered. */
export type Direction = "request" | "response";

/** Whether a pointer names a member of an object: only there `readOnly` and `writeOnly` count (OpenAPI 3.0 §4.7.24.2). */
export const isMember = (pointer: string): boolean => pointer !== "" && !/\/\d+$/.test(pointer);

/** The resources entered so far, innermost first: what `$dynamicRef` looks through. */
export interface Scope {
  readonly resource: Resource;
  readonly outer: Scope | undefined;
}

/** What adjacent keywords have looked at, for `unevaluatedItems` and `unevaluatedProperties`. */
export class Seen {
  // There is one of these for each value of a message, and most are neither objects nor arrays.
  private names: Set<string> | undefined = undefined;
  private indexes: Set<number> | undefined = undefined;
  allNames = false;
  allIndexes = false;

  addName(name: string): void {
    this.names ??= new Set();
    this.names.add(name);
  }

  addIndex(index: number): void {
    this.indexes ??= new Set();
    this.indexes.add(index);
  }

  hasName(name: string): boolean {
    return this.allNames || this.names?.has(name) === true;
  }

  hasIndex(index: number): boolean {
    return this.allIndexes || this.indexes?.has(index) === true;
  }

  add(other: Seen): void {
    for (const name of other.names ?? []) this.addName(name);
    for (const index of other.indexes ?? []) this.addIndex(index);
    this.allNames ||= other.allNames;
    this.allIndexes ||= other.allIndexes;
  }
}

/** What came of applying a schema aside. */
export interface Branch {
  readonly isValid: boolean;
  readonly seen: Seen;
  readonly findings: Finding[];
}

/** A walk over a value and a schema, as the keywords see it. */
export interface Evaluation {
  readonly resources: Resources;
  /** As much is known to be wrong as anybody wants to know: the rest need not be looked at. */
  readonly isFull: boolean;
  /**
   * A quick test of one item or one member, for lists and maps of thousands that are wrong in a few places.
   * @returns undefined where only a walk can tell
   */
  findTest(keyword: "items" | "additionalProperties", sub: unknown): ((value: unknown) => boolean) | undefined;
  /** Applies a schema at the place where a value stands. */
  apply(schema: unknown, value: unknown, pointer: string, scope: Scope, seen: Seen): boolean;
  /** Applies a schema and keeps what it finds to itself: one branch of an `anyOf`. @param limit of its findings */
  try(schema: unknown, value: unknown, pointer: string, scope: Scope, limit?: number): Branch;
  /** Applies what a reference leads to; what that has found about an object or array is remembered. */
  applyOnce(schema: unknown, value: unknown, pointer: string, scope: Scope, seen: Seen): boolean;
  /** @returns false, so that a check can end with it */
  report(pointer: string, keyword: string, message: string): false;
  repeat(findings: readonly Finding[]): false;
}

export const under = (pointer: string, token: string | number): string =>
  `${pointer}/${typeof token === "number" ? token : escapeToken(token)}`;

/** With fewer a test of its own is not worth making. */
export const MANY = 64;

/** What a keyword with schemas under it does. @returns whether the value is valid */
export type Apply = (
  evaluator: Evaluation,
  schema: SchemaObject,
  value: unknown,
  pointer: string,
  scope: Scope,
  seen: Seen,
) => boolean;

/** A subschema about the same value: it sees only what its own keywords look at, and what it saw counts for its parent. */
export function applyInPlace(
  evaluator: Evaluation,
  sub: unknown,
  value: unknown,
  pointer: string,
  scope: Scope,
  seen: Seen,
): boolean {
  const own = new Seen();
  const isValid = evaluator.apply(sub, value, pointer, scope, own);
  seen.add(own);
  return isValid;
}
