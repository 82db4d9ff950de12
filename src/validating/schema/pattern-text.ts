import type { Instruction } from "./pattern-program.ts";

/** Instead of a place in a text, which is an index of a UTF-16 unit. */
export const NOWHERE = -1;

/** @returns the place beyond a character that an instruction takes */
export function readCharacter(
  text: string,
  at: number,
  { character, set, isBackward }: Instruction,
  isUnicode: boolean,
): number {
  if (isBackward ? at === 0 : at >= text.length) return NOWHERE;
  const next = isBackward ? placeBefore(text, at, isUnicode) : placeAfter(text, at, isUnicode);
  const from = isBackward ? next : at;
  let code = text.charCodeAt(from);
  if (isUnicode && code >= 0xd800 && code < 0xdc00) code = text.codePointAt(from) as number;
  return (set === undefined ? code === character : set.has(code)) ? next : NOWHERE;
}

export const placeAfter = (text: string, at: number, isUnicode: boolean): number =>
  at + (isUnicode && isPair(text, at) ? 2 : 1);

export const placeBefore = (text: string, at: number, isUnicode: boolean): number =>
  at - (isUnicode && isPair(text, at - 2) ? 2 : 1);

/** Whether a code point of two units starts there. */
export const isPair = (text: string, at: number): boolean =>
  (text.charCodeAt(at) & 0xfc00) === 0xd800 && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00;

/** Whether a word starts or ends there. */
export const isBoundary = (text: string, at: number): boolean => isWord(text, at - 1) !== isWord(text, at);

function isWord(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return (
    (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || (code >= 0x30 && code <= 0x39) || code === 0x5f
  );
}
