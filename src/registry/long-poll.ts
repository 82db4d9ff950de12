import type { Request, Response } from "express";
import { Lane } from "../core/slices.ts";
import type { Catalog } from "./catalog.ts";
import type { Quota } from "./quota.ts";

const MAX_WAIT_MS = 300_000;
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 };

/**
 * Resolves when the place has changed since the request's `index`, when its `wait` is over, or when the client is gone;
 * at once without an `index`, and with one from before (0) or from another life of the registry (greater than ours).
 */
export async function awaitChange(
  catalog: Catalog,
  service: string | undefined,
  request: Request,
  response: Response,
  quota: Quota,
): Promise<void> {
  if (request.query.index === undefined || response.destroyed) return;
  const current = service === undefined ? catalog.index : catalog.indexOf(service);
  if (Number(request.query.index) !== current) return;
  const release = quota.takeWatch();
  await new Promise<void>((resolve) => {
    let settling: NodeJS.Timeout | undefined;
    const end = (): void => {
      unwatch();
      clearTimeout(timer);
      clearTimeout(settling);
      response.off("close", end);
      resolve();
    };
    const timer = setTimeout(end, waitMsOf(request));
    const unwatch = catalog.watch(service, () => {
      settling ??= setTimeout(end, settleMs(catalog, service));
    });
    response.once("close", end);
  });
  release();
  await answered.next();
}

/** Those whose wait is over: a thousand lists written at once would hold up the loop. */
const answered = new Lane();

/** Many changes come together, and a long list costs as much to write for one of them as for all: wait for the rest. */
const settleMs = (catalog: Catalog, service: string | undefined): number =>
  Math.min(500, (service === undefined ? 0 : catalog.instancesOf(service).size) / 20);

function waitMsOf(request: Request): number {
  const [, amount, unit] = /^(\d+)(ms|s|m)$/.exec(String(request.query.wait ?? "30s")) ?? [];
  return Math.min(MAX_WAIT_MS, Number(amount ?? 30) * (UNIT_MS[unit ?? "s"] as number));
}
