/** Numbers as people write them in configuration. Each `parse*` throws RangeError with the form that is wanted. */

/** As a schema may ask for it. */
export const SIZE_PATTERN = "^(\\d+(?:\\.\\d+)?)\\s*(B|KB|KiB|MB|MiB|GB|GiB)?$";
const SIZE = new RegExp(SIZE_PATTERN);
const SIZE_UNITS: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  KiB: 1024,
  MB: 1e6,
  MiB: 1024 ** 2,
  GB: 1e9,
  GiB: 1024 ** 3,
};

/** Bytes of `32KiB`, `1MiB`, `500` (bytes). */
export function parseBytes(text: string | number): number {
  if (typeof text === "number" && Number.isSafeInteger(text) && text >= 0) return text;
  const match = SIZE.exec(String(text));
  if (match === null) throw new RangeError("write a size such as 32KiB, 1MiB or a number of bytes");
  return Math.floor(Number(match[1]) * (SIZE_UNITS[match[2] ?? "B"] as number));
}

const RATE = /^(\d+)\s*\/\s*(s|sec|second|m|min|minute|h|hour|d|day)$/;
const RATE_SECONDS: Readonly<Record<string, number>> = {
  s: 1,
  sec: 1,
  second: 1,
  m: 60,
  min: 60,
  minute: 60,
  h: 3600,
  hour: 3600,
  d: 86_400,
  day: 86_400,
};

export interface Rate {
  readonly count: number;
  readonly perSeconds: number;
}

/** `100/min` as 100 each 60 seconds. */
export function parseRate(text: string): Rate {
  const match = RATE.exec(text);
  const count = Number(match?.[1]);
  if (match === null || !(count >= 1)) throw new RangeError("write a rate such as 10/s, 100/min, 1000/h or 50000/day");
  return { count, perSeconds: RATE_SECONDS[match[2] as string] as number };
}

/** `20%` as 0.2. */
export function parsePercent(text: string | number): number {
  const match = /^(\d+(?:\.\d+)?)\s*%$/.exec(String(text));
  const share = match === null ? Number.NaN : Number(match[1]) / 100;
  if (!(share >= 0 && share <= 1)) throw new RangeError("write a share such as 20%");
  return share;
}
