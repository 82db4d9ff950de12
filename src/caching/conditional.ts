import { FieldGroup } from "../core/field-group.ts";
import type { HeaderList } from "../core/headers.ts";
import type { AnswerView, StoredAnswer } from "./answer.ts";
import { dateOf } from "./freshness.ts";
import { findHttpDate } from "./http-date.ts";

const ENTITY_TAG = /(?:W\/)?"[^"]*"/g;

/**
 * Whether the client has this answer already. RFC 9110 §13.1: `If-None-Match` alone, else `If-Modified-Since`.
 * @param view of the answer, which remembers what was found last
 */
export function isNotModified(request: HeaderList, answer: StoredAnswer, nowMs: number, view: AnswerView): boolean {
  const tags = request.getJoined("if-none-match");
  if (tags !== undefined) {
    if (tags === view.hadTags) return true;
    const isHad = answer.status === 200 && hasTag(tags, answer.headers.get("etag"));
    if (isHad && tags.length <= MAX_HAD) view.hadTags = tags;
    return isHad;
  }
  const since = request.getJoined("if-modified-since");
  if (since === undefined) return false;
  if (since === view.hadSince) return true;
  const isHad = answer.status === 200 && isSince(since, answer, nowMs);
  if (isHad) view.hadSince = since;
  return isHad;
}
/** A longer list is looked at each time. */
const MAX_HAD = 200;

function isSince(since: string, answer: StoredAnswer, nowMs: number): boolean {
  const modified = answer.headers.get("last-modified") ?? answer.headers.get("date");
  const sinceMs = findHttpDate(since, nowMs);
  if (sinceMs === undefined) return false;
  const modifiedMs = modified === undefined ? undefined : findHttpDate(modified, nowMs);
  return modifiedMs !== undefined && modifiedMs <= sinceMs;
}

/** Weak comparison (RFC 9110 §8.8.3.2). */
function hasTag(list: string, etag: string | undefined): boolean {
  if (list.trim() === "*") return true;
  if (etag === undefined) return false;
  const opaque = etag.startsWith("W/") ? etag.slice(2) : etag;
  for (const [tag] of list.matchAll(ENTITY_TAG)) {
    if ((tag.startsWith("W/") ? tag.slice(2) : tag) === opaque) return true;
  }
  return false;
}

/** Fields by which a client asks about what it has: they are answered from the stored answer, not by the upstream. */
export const CONDITIONAL_FIELDS = ["if-none-match", "if-modified-since", "range", "if-range"] as const;

const ASKING = new FieldGroup("if-none-match", "if-modified-since", "range");

export const isConditional = (headers: HeaderList): boolean => headers.hasAnyOf(ASKING);

/**
 * Makes a request ask whether a stored answer still holds. RFC 9111 §4.3.1.
 * @returns false: it has no validator, or is none that a 304 could speak of: that stands in for a success alone (RFC 9110
 *   §13.2.1), so a stored 404 would outlive the resource's return
 */
export function askAbout(answer: StoredAnswer, headers: HeaderList): boolean {
  for (const name of CONDITIONAL_FIELDS) headers.delete(name);
  if (answer.status >= 300) return false;
  const etag = answer.headers.get("etag");
  const lastModified = answer.headers.get("last-modified");
  if (etag !== undefined) headers.append("If-None-Match", etag);
  if (lastModified !== undefined) headers.append("If-Modified-Since", lastModified);
  return etag !== undefined || lastModified !== undefined;
}

/**
 * A 304 that names another answer than the one asked about says nothing of it: a lying validator. So does one whose
 * validators the answer never had. RFC 9111 §4.3.4.
 */
export function isAboutAnother({ headers }: StoredAnswer, notModified: HeaderList): boolean {
  const etag = notModified.get("etag");
  const known = headers.get("etag");
  if (etag !== undefined && known !== undefined) return weak(etag) !== weak(known);
  if (etag !== undefined && !etag.startsWith("W/")) return true;
  const modified = notModified.get("last-modified");
  return (etag ?? modified) !== undefined && modified !== headers.get("last-modified");
}
const weak = (etag: string): string => (etag.startsWith("W/") ? etag.slice(2) : etag);

export interface Range {
  readonly first: number;
  readonly last: number;
}

/**
 * The one range that a request wants of a complete answer. RFC 9110 §14.
 * @returns undefined: all of it, as for a range of another representation (If-Range), a malformed one, or many at
 *   once, which would cost more than they save (ATTACKS 19); "none" when nothing of it exists
 */
export function findRange(request: HeaderList, answer: StoredAnswer, nowMs: number): Range | "none" | undefined {
  const value = request.getJoined("range");
  if (value === undefined || answer.status !== 200) return undefined;
  const match = /^bytes=[\t ]*(\d*)-(\d*)[\t ]*$/i.exec(value);
  if (match === null || (match[1] === "" && match[2] === "")) return undefined;
  if (!isSameRepresentation(request.getJoined("if-range"), answer.headers, nowMs)) return undefined;
  const { length } = answer;
  const [, from, to] = match as unknown as [string, string, string];
  // Of nothing, the last few bytes are all of it: a range that can be satisfied, and that no Content-Range can tell (§14.1.2).
  if (length === 0 && from === "" && Number(to) > 0) return undefined;
  const first = from === "" ? Math.max(0, length - Number(to)) : Number(from);
  const last = from === "" || to === "" ? length - 1 : Math.min(Number(to), length - 1);
  if (from !== "" && to !== "" && Number(to) < Number(from)) return undefined;
  return first > last || first >= length ? "none" : { first, last };
}

/** By strong comparison alone (RFC 9110 §13.1.5): a date counts when nothing can have changed within its second. */
function isSameRepresentation(ifRange: string | undefined, headers: HeaderList, nowMs: number): boolean {
  if (ifRange === undefined) return true;
  if (ifRange.startsWith('"')) return headers.get("etag") === ifRange;
  if (headers.get("last-modified") !== ifRange) return false;
  const modifiedMs = findHttpDate(ifRange, nowMs);
  return modifiedMs !== undefined && modifiedMs + 1000 <= dateOf(headers, nowMs);
}
