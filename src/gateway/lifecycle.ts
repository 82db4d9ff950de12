import { statSync } from "node:fs";
import type { Operation } from "../core/operation.ts";
import { hookStep, type Step } from "../pipeline/order.ts";

/** When a document says so itself: a date, a date and time, or seconds since 1970. */
const DATE_KEYS = ["x-deprecated-at", "x-deprecation-date", "x-deprecation"];

/**
 * Tells clients that an operation is on its way out: `Deprecation` (RFC 9745) where the spec says `deprecated`, and
 * `Sunset` (RFC 8594) where `x-sunset` says when. What the upstream says itself is left alone.
 */
export function createLifecycleStep(operation: Operation): Step | undefined {
  const deprecation = findDeprecation(operation);
  const sunset = findDate(operation.extensions["x-sunset"])?.toUTCString();
  if (deprecation === undefined && sunset === undefined) return undefined;
  return hookStep("observe", {
    name: "lifecycle",
    hooks: {
      onResponse(_exchange, { headers }) {
        if (deprecation !== undefined && !headers.has("deprecation")) headers.set("Deprecation", deprecation);
        if (sunset !== undefined && !headers.has("sunset")) headers.set("Sunset", sunset);
      },
    },
  });
}

/**
 * RFC 9745 wants the moment of the deprecation, which OpenAPI has no word for. Without an extension that says it, it is
 * the moment the document was last written: since then at the latest it says `deprecated`.
 * @returns a Date of structured fields (RFC 9651): `@1700000000`
 */
function findDeprecation(operation: Operation): string | undefined {
  const said = DATE_KEYS.map((key) => findDate(operation.extensions[key])).find((date) => date !== undefined);
  if (said === undefined && !operation.deprecated) return undefined;
  const date = said ?? new Date(writtenAtMs(operation.location.file));
  return `@${Math.floor(date.getTime() / 1000)}`;
}

function writtenAtMs(file: string): number {
  try {
    return statSync(file).mtimeMs;
  } catch {
    return 0;
  }
}

export function findDate(value: unknown): Date | undefined {
  if (typeof value !== "string" && typeof value !== "number") return undefined;
  const date = typeof value === "number" ? new Date(value * 1000) : new Date(value);
  return Number.isNaN(date.getTime()) ? undefined : date;
}
