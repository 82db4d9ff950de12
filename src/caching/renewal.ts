import { HeaderList } from "../core/headers.ts";
import type { StoredAnswer } from "./answer.ts";
import type { Cache } from "./cache.ts";
import { type Errand, standInMs } from "./errand.ts";
import { toFreshness } from "./freshness.ts";
import { toHttpDate } from "./http-date.ts";
import type { CacheOptions } from "./options.ts";
import { findStorable, isPublic, isStorableForOthers, NEVER_STORED, type StoreQuestion } from "./policy.ts";
import { type Asked, tagsOf } from "./stored-answer.ts";
import { selectingFields } from "./vary.ts";

export interface Renewed {
  readonly answer: StoredAnswer;
  /** False when the confirmation forbids to store, or varies by other fields: then it is for its own client alone. */
  readonly isKept: boolean;
}

/**
 * Puts a stored answer that its upstream confirmed in place of itself, with what it says of it now.
 * @param confirmed header section of a 304, or of an equal answer to HEAD. RFC 9111 §4.3.4, §4.3.5
 */
export function renew(
  cache: Cache,
  { exchange, directives, partition }: Errand,
  stored: StoredAnswer,
  confirmed: HeaderList,
  { requestedAtMs, seq, localSeq }: Asked,
  options: CacheOptions,
): Renewed {
  const receivedAtMs = Date.now();
  const headers = renewHeaders(stored.headers, confirmed);
  // Without a date it is of now (RFC 9110 §6.6.1): by that of what is stored it would be as old as that.
  if (!confirmed.has("date")) headers.set("Date", toHttpDate(receivedAtMs));
  const age = confirmed.get("age");
  if (age !== undefined) headers.set("Age", age);
  const { freshness } = toFreshness(stored.status, headers, options, requestedAtMs, receivedAtMs);
  headers.delete("age");
  const question: StoreQuestion = {
    requestHeaders: exchange.request.headers,
    requestDirectives: directives,
    response: { status: stored.status, headers, body: null },
    requestedAtMs,
    receivedAtMs,
    isPartitioned: partition !== "",
    options,
  };
  const storable = findStorable(question);
  // What the confirmation withholds from reuse, as stored answers do, is withheld from now on.
  const kept = storable?.headers ?? headers;
  const answer: StoredAnswer = {
    ...stored,
    headers: kept,
    freshness,
    tags: tagsOf(kept),
    seq,
    localSeq,
    view: undefined,
  };
  // One that was public may stand where all consumers find it.
  const isStillShared = partition === "" || options.sharePublic !== true || isPublic(kept) || !isPublic(stored.headers);
  const isKept = storable !== undefined && isStillShared && isSelectedAsBefore(storable.selectors, stored);
  if (isKept) void cache.replace(answer, standInMs(options));
  // A cookie, a credential or `no-store` keeps what it was told from being stored; what is stored it does not touch.
  else if (storable !== undefined || !isStorableForOthers(question)) cache.remove(stored);
  return { answer, isKept };
}

/** It stands where the fields of its old `Vary` lead: by others it would be given to requests that it is not for. */
const isSelectedAsBefore = (selectors: readonly string[], stored: StoredAnswer): boolean =>
  selectors.join() === selectingFields(stored.headers.getJoined("vary"))?.join();

/** The stored header section after a 304: its fields replace the stored ones. RFC 9111 §3.2. */
function renewHeaders(stored: HeaderList, fresh: HeaderList): HeaderList {
  const replaced = new Set<string>();
  fresh.forEach((_name, _value, lower) => {
    if (!NOT_RENEWED.has(lower) && !NEVER_STORED.has(lower)) replaced.add(lower);
  });
  const flat: string[] = [];
  stored.forEach((name, value, lower) => {
    if (!replaced.has(lower)) flat.push(name, value);
  });
  fresh.forEach((name, value, lower) => {
    if (replaced.has(lower)) flat.push(name, value);
  });
  return new HeaderList(flat);
}
const NOT_RENEWED = new Set(["content-length", "content-encoding", "content-range", "age"]);
