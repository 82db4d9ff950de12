/**
 * Milliseconds to wait by `Retry-After` (RFC 9110 §10.2.3): seconds, or a date.
 * @param nowMs since 1970
 * @returns undefined when it is absent or malformed; 0 when the date has passed
 */
export function parseRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1_000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}
