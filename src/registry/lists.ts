import type { Response } from "express";
import { Turn } from "../core/slices.ts";
import type { Catalog } from "./catalog.ts";
import { toPublicJson } from "./registration.ts";

/** A list as long as this is kept while it stands: many ask for it at the same time. */
const LONG = 100;
const MOST_KEPT = 8;

interface Kept {
  readonly index: number;
  readonly text: Promise<Buffer>;
}

/** Lists of instances as JSON, written in slices, a long one once for all who ask while nothing changes. */
export class Lists {
  private readonly catalog: Catalog;
  private readonly kept = new Map<string, Kept>();

  constructor(catalog: Catalog) {
    this.catalog = catalog;
  }

  /** The instances of a service as they stand now, with the index of that. */
  of(service: string): Kept {
    const index = this.catalog.indexOf(service);
    const known = this.kept.get(service);
    if (known?.index === index) return known;
    this.kept.delete(service);
    const made = { index, text: this.write(service) };
    if (this.catalog.instancesOf(service).size < LONG) return made;
    if (this.kept.size >= MOST_KEPT) this.kept.clear();
    this.kept.set(service, made);
    return made;
  }

  private async write(service: string): Promise<Buffer> {
    const turn = new Turn();
    const instances: string[] = [];
    for (const registration of [...this.catalog.instancesOf(service).values()]) {
      instances.push(toPublicJson(registration));
      if (turn.isOver) await turn.pass();
    }
    return Buffer.from(`[${instances.join(",")}]`);
  }
}

/** Sends `{…head, name: list}` without another copy of the list. */
export function sendWithList(response: Response, head: object, name: string, list: Buffer): void {
  const start = Buffer.from(`${JSON.stringify(head).slice(0, -1)},"${name}":`);
  response.type("json").set("Content-Length", String(start.length + list.length + 1));
  response.write(start);
  response.write(list);
  response.end("}");
}
