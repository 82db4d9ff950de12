/** Characters of plain text, by their codes: 1 for those of a class. */
type Class = Uint8Array;

const ASCII = 128;
const DIGITS = "0123456789";
const WORD = `${DIGITS}ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz`;
const QUANTIFIER = /^(?:[?*+]|\{(\d{1,4})(?:(,)(\d{0,4}))?\})/;
/** Escapes that stand for themselves. */
const PUNCTUATION = /^[\x20-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e]$/;
/** What a pattern of characters one after the other has not. */
const BEYOND = new Set("()|^$*+?{}");
const MAX_PIECES = 64;

/**
 * A pattern of characters one after the other, such as `^[A-Z]{3}-\d+$`, read by the bytes of plain ASCII text. It takes
 * as many of each as there are and never goes back: what it does not accept, a regular expression may.
 */
export class BytePattern {
  private readonly classes: readonly Class[];
  private readonly least: readonly number[];
  private readonly most: readonly number[];

  private constructor(pieces: readonly Piece[]) {
    this.classes = pieces.map((piece) => piece.characters);
    this.least = pieces.map(({ least }) => least);
    this.most = pieces.map(({ most }) => most);
  }

  /** @returns undefined for a pattern of another kind */
  static find(source: string): BytePattern | undefined {
    const pieces = readPieces(source);
    return pieces === undefined || pieces.length > MAX_PIECES ? undefined : new BytePattern(pieces);
  }

  /** @param bytes all of them ASCII */
  accepts(bytes: Buffer, start: number, end: number): boolean {
    const { classes, least, most } = this;
    let i = start;
    for (let piece = 0; piece < classes.length; piece++) {
      const characters = classes[piece] as Class;
      const first = i;
      const last = Math.min(end, first + (most[piece] as number));
      while (i < last && characters[bytes[i] as number] === 1) i++;
      if (i - first < (least[piece] as number)) return false;
    }
    return i === end;
  }
}

interface Piece {
  readonly characters: Class;
  readonly least: number;
  readonly most: number;
}

function readPieces(source: string): Piece[] | undefined {
  if (!source.startsWith("^") || !source.endsWith("$")) return undefined;
  const inner = source.slice(1, -1);
  const pieces: Piece[] = [];
  for (let i = 0; i < inner.length; ) {
    const read = inner[i] === "[" ? readClass(inner, i) : readCharacter(inner, i);
    if (read === undefined) return undefined;
    const [characters, end] = read;
    const [quantifier = "", least, comma, most] = QUANTIFIER.exec(inner.slice(end)) ?? [];
    i = end + quantifier.length;
    pieces.push({ characters, ...countsOf(quantifier, least, comma, most) });
  }
  return pieces;
}

function countsOf(quantifier: string, least = "1", comma = "", most = ""): { least: number; most: number } {
  if (quantifier === "?") return { least: 0, most: 1 };
  if (quantifier === "*") return { least: 0, most: Number.POSITIVE_INFINITY };
  if (quantifier === "+") return { least: 1, most: Number.POSITIVE_INFINITY };
  const from = Number(least);
  const to = comma === "" ? from : most === "" ? Number.POSITIVE_INFINITY : Number(most);
  return { least: from, most: to };
}

const classOf = (characters: string): Class => {
  const found = new Uint8Array(ASCII);
  for (const character of characters) found[character.charCodeAt(0)] = 1;
  return found;
};

/** @returns a character outside brackets and where it ends */
function readCharacter(text: string, at: number): readonly [Class, number] | undefined {
  const character = text[at] as string;
  if (character === ".") return [new Uint8Array(ASCII).fill(1, 0x20), at + 1];
  if (character === "\\") {
    const escaped = readEscape(text[at + 1]);
    return escaped === undefined ? undefined : [classOf(escaped), at + 2];
  }
  return BEYOND.has(character) || character > "~" ? undefined : [classOf(character), at + 1];
}

/** @returns the characters that an escape stands for */
function readEscape(letter = ""): string | undefined {
  if (letter === "d") return DIGITS;
  if (letter === "w") return WORD;
  return PUNCTUATION.test(letter) ? letter : undefined;
}

/** @returns a class in brackets and where it ends */
function readClass(text: string, at: number): readonly [Class, number] | undefined {
  const isNegated = text[at + 1] === "^";
  const found = new Uint8Array(ASCII);
  let i = isNegated ? at + 2 : at + 1;
  for (; i < text.length && text[i] !== "]"; i++) {
    let characters = text[i] as string;
    if (characters === "\\") {
      i++;
      const escaped = readEscape(text[i]);
      if (escaped === undefined) return undefined;
      characters = escaped;
    }
    if (characters > "~") return undefined;
    const isRange = text[i + 1] === "-" && text[i + 2] !== undefined && text[i + 2] !== "]";
    if (!isRange) {
      for (const character of characters) found[character.charCodeAt(0)] = 1;
      continue;
    }
    const last = text[i + 2] as string;
    if (characters.length !== 1 || !/^[A-Za-z0-9]$/.test(last) || characters > last) return undefined;
    found.fill(1, characters.charCodeAt(0), last.charCodeAt(0) + 1);
    i += 2;
  }
  if (text[i] !== "]") return undefined;
  return [isNegated ? found.map((is) => 1 - is) : found, i + 1];
}
