import type { StoredAnswer } from "./answer.ts";
import { resourceIn } from "./key.ts";

/** What to forget. `soft` keeps it as stale: to be validated, or used as `stale-while-revalidate` and `stale-if-error` allow. */
export interface Purge {
  readonly kind: "all" | "resource" | "prefix" | "tag" | "operation";
  /** Host and path on two lines, the host empty for every host; the start of them; a tag; an operation id. */
  readonly value: string;
  readonly soft: boolean;
}

/**
 * Purges by what they speak of, each with its place in one count. An answer remembers the count when its request was
 * sent; it is gone once a purge that fits it has a higher place. So a purge costs the same whatever is stored, reaches
 * what is on disk or on its way from the upstream, and needs no list of what exists.
 */
export class Purges {
  private readonly limit: number;
  private readonly latest = new Map<string, number>();
  private readonly prefixes = new Map<string, { value: string; soft: boolean; seq: number }>();
  /** Every answer older than that is gone: purges are forgotten this way, never the other. */
  private floor = 0;
  /** The place of the latest purge by a tag. */
  private tagSeq = 0;
  /** The place of the latest purge. */
  seq = 0;

  constructor(limit = 10_000) {
    this.limit = limit;
  }

  /** @param seq its place in a count that others share; by default the next one here */
  add({ kind, value, soft }: Purge, seq = this.seq + 1): void {
    this.seq = Math.max(this.seq, seq);
    if (kind === "tag") this.tagSeq = Math.max(this.tagSeq, seq);
    const id = `${kind}${soft ? "~" : "="}${value}`;
    if (kind === "prefix") {
      this.prefixes.delete(id);
      this.prefixes.set(id, { value, soft, seq });
    } else {
      this.latest.delete(id);
      this.latest.set(id, seq);
    }
    this.forget();
  }

  /** What has become of an answer of that place in the count. */
  fateOf(answer: Named, seq: number): "kept" | "stale" | "gone" {
    if (seq >= this.seq) return "kept";
    if (seq < this.floor) return "gone";
    let fate: "kept" | "stale" = "kept";
    for (const name of namesOf(answer)) {
      if ((this.latest.get(name.replace("~", "=")) ?? 0) > seq) return "gone";
      if ((this.latest.get(name) ?? 0) > seq) fate = "stale";
    }
    for (const prefix of this.prefixes.values()) {
      if (prefix.seq <= seq || !startsWith(resourceOfAnswer(answer), prefix.value)) continue;
      if (!prefix.soft) return "gone";
      fate = "stale";
    }
    return fate;
  }

  /**
   * Whether what is fetched under that key since that place may be what was to be forgotten: what tags it will have, nobody
   * knows yet.
   */
  mayConcern(key: string, operation: string, seq: number): boolean {
    if (seq >= this.seq) return false;
    return this.tagSeq > seq || this.fateOf({ key, resource: undefined, operation, tags: [] }, seq) !== "kept";
  }

  private forget(): void {
    if (this.latest.size + this.prefixes.size <= this.limit) return;
    const oldest = this.latest.entries().next().value;
    const oldestPrefix = this.prefixes.entries().next().value;
    if (oldest !== undefined && (oldestPrefix === undefined || oldest[1] < oldestPrefix[1].seq)) {
      this.latest.delete(oldest[0]);
      this.floor = Math.max(this.floor, oldest[1]);
    } else if (oldestPrefix !== undefined) {
      this.prefixes.delete(oldestPrefix[0]);
      this.floor = Math.max(this.floor, oldestPrefix[1].seq);
    }
  }
}

/** A place without a host is that of every host. */
const startsWith = (resource: string, place: string): boolean =>
  resource.startsWith(place, place.startsWith("\n") ? resource.indexOf("\n") : 0);

type Named = Pick<StoredAnswer, "key" | "resource" | "operation" | "tags">;

const resourceOfAnswer = ({ resource, key }: Named): string => resource ?? resourceIn(key);

function namesOf(answer: Named): string[] {
  const resource = resourceOfAnswer(answer);
  return [
    "all~",
    `resource~${resource}`,
    `resource~${resource.slice(resource.indexOf("\n"))}`,
    `operation~${answer.operation}`,
    ...answer.tags.map((tag) => `tag~${tag}`),
  ];
}
