const BASE = 36;
const LEAST = 1;
const MOST = 26;
const SKEW = 38;
const DAMP = 700;
const FIRST_BIAS = 72;
const FIRST_POINT = 128;
const MAX_POINT = 0x10ffff;

/** The digits of a generalised variable-length integer: a–z, then 0–9. */
const DIGITS = "abcdefghijklmnopqrstuvwxyz0123456789";

function adapt(delta: number, count: number, isFirst: boolean): number {
  let left = isFirst ? Math.floor(delta / DAMP) : delta >> 1;
  left += Math.floor(left / count);
  let k = 0;
  for (; left > ((BASE - LEAST) * MOST) >> 1; k += BASE) left = Math.floor(left / (BASE - LEAST));
  return k + Math.floor(((BASE - LEAST + 1) * left) / (left + SKEW));
}

const threshold = (k: number, bias: number): number => Math.min(MOST, Math.max(LEAST, k - bias));

/** What `xn--` stands before, read (RFC 3492 §6.2). @returns undefined for what is no Punycode */
export function decodePunycode(text: string): string | undefined {
  const dash = text.lastIndexOf("-");
  const points = [...text.slice(0, Math.max(0, dash))].map((character) => character.codePointAt(0) as number);
  let point = FIRST_POINT;
  let bias = FIRST_BIAS;
  let index = 0;
  for (let at = dash + 1; at < text.length; ) {
    const before = index;
    let weight = 1;
    for (let k = BASE; ; k += BASE) {
      const digit = DIGITS.indexOf(text[at++] ?? " ");
      if (digit < 0) return undefined;
      index += digit * weight;
      const limit = threshold(k, bias);
      if (digit < limit) break;
      weight *= BASE - limit;
      if (index > Number.MAX_SAFE_INTEGER / BASE) return undefined;
    }
    const count = points.length + 1;
    bias = adapt(index - before, count, before === 0);
    point += Math.floor(index / count);
    index %= count;
    if (point > MAX_POINT || (point >= 0xd800 && point < 0xe000)) return undefined;
    points.splice(index++, 0, point);
  }
  return String.fromCodePoint(...points);
}

/** The other way (RFC 3492 §6.3). */
export function encodePunycode(label: string): string {
  const points = [...label].map((character) => character.codePointAt(0) as number);
  const plain = points.filter((point) => point < FIRST_POINT);
  let text = plain.length === 0 ? "" : `${String.fromCodePoint(...plain)}-`;
  let bias = FIRST_BIAS;
  let delta = 0;
  let done = plain.length;
  for (let point = FIRST_POINT; done < points.length; point++) {
    const next = Math.min(...points.filter((other) => other >= point));
    delta += (next - point) * (done + 1);
    point = next;
    for (const other of points) {
      if (other < point) delta++;
      if (other !== point) continue;
      text += writeNumber(delta, bias);
      bias = adapt(delta, done + 1, done === plain.length);
      delta = 0;
      done++;
    }
    delta++;
  }
  return text;
}

function writeNumber(value: number, bias: number): string {
  let text = "";
  let left = value;
  for (let k = BASE; ; k += BASE) {
    const limit = threshold(k, bias);
    if (left < limit) return text + (DIGITS[left] as string);
    text += DIGITS[limit + ((left - limit) % (BASE - limit))] as string;
    left = Math.floor((left - limit) / (BASE - limit));
  }
}
