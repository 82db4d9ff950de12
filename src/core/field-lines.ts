import { readFieldName } from "./field-names.ts";

const FRAMING = new Set(["content-length", "transfer-encoding"]);
const CR = 13;
const LF = 10;
const TAB = 9;
const SPACE = 32;
const DELETE = 127;

/** Field lines as they came: name, value, name, value …, and the names in lower case. */
export interface FieldLines {
  readonly flat: string[];
  readonly names: string[];
}

/**
 * Reads field lines, as strictly as RFC 9112 §5 lets a reader be: no folded line, no space before the colon, no bare CR
 * or LF, no control character.
 * @param from after the line before
 * @param end of the section: its last line ends there with CR LF
 * @returns what is wrong with them, if anything is
 */
export function readFieldLines(text: string, from: number, end: number, lines: FieldLines): string | undefined {
  const { flat, names } = lines;
  let at = from;
  while (at < end) {
    const name = readFieldName(text, at, names.length);
    if (name === undefined) return "a field line has no valid name";
    const { spelled, lower, usual } = name;
    let start = at + spelled.length + 1;
    while (isBlank(text.charCodeAt(start))) start++;
    let i = start;
    let code = text.charCodeAt(i);
    if (usual !== undefined) {
      const { codes } = usual;
      while (i - start < codes.length && code === codes[i - start]) code = text.charCodeAt(++i);
      if (code === CR && i - start === codes.length && text.charCodeAt(i + 1) === LF) {
        at = i + 2;
        flat.push(spelled, usual.text);
        names.push(lower);
        continue;
      }
    }
    while ((code >= SPACE && code !== DELETE) || code === TAB) code = text.charCodeAt(++i);
    if (code !== CR || text.charCodeAt(i + 1) !== LF) return "a field value has a control character";
    at = i + 2;
    while (i > start && isBlank(text.charCodeAt(i - 1))) {
      i--;
      // Some readers take a tab after a length for a part of it.
      if (text.charCodeAt(i) === TAB && FRAMING.has(lower)) return `${lower} ends in a tab`;
    }
    const value = text.slice(start, i);
    usual?.tell(value);
    flat.push(spelled, value);
    names.push(lower);
  }
  return undefined;
}

const isBlank = (code: number): boolean => code === SPACE || code === TAB;
