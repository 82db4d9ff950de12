import { decodePunycode, encodePunycode } from "./punycode.ts";

const MAX_LABEL = 63;
const MAX_NAME = 253;

const LABEL = /^(?!-)[A-Za-z0-9-]{1,63}(?<!-)$/;
const A_LABEL = /^xn--/i;
const isReserved = (label: string): boolean => label.charCodeAt(2) === 0x2d && label.charCodeAt(3) === 0x2d;

/** RFC 1123, with internationalised labels in the form that DNS has for them, checked as what they stand for (RFC 5890). */
export function isHostname(text: string): boolean {
  if (text.length > MAX_NAME) return false;
  const labels = text.split(".");
  if (!labels.every((label) => LABEL.test(label))) return false;
  return !text.includes("--") || areInternational(labels);
}

/** Likewise in any script (RFC 5890 §2.3.2.3). */
export function isIdnHostname(text: string): boolean {
  if (text.length > MAX_NAME) return false;
  return areInternational(text.split(/[.\u3002\uff0e\uff61]/));
}

function areInternational(labels: readonly string[]): boolean {
  let length = labels.length - 1;
  const read: string[] = [];
  for (const label of labels) {
    const unicode = findUnicode(label);
    if (unicode === undefined) return false;
    read.push(unicode);
    length += unicode === label.toLowerCase() && !isAscii(label) ? encodePunycode(unicode).length + 4 : label.length;
  }
  return length <= MAX_NAME && (!read.some((label) => RIGHT_TO_LEFT.test(label)) || read.every(keepsDirection));
}

const isAscii = (label: string): boolean => /^[\x00-\x7f]*$/.test(label);

/** @returns the label as people read it; undefined when it is none */
function findUnicode(label: string): string | undefined {
  const lower = label.toLowerCase();
  if (isAscii(label)) {
    if (!LABEL.test(label)) return undefined;
    if (!isReserved(lower)) return lower;
    const unicode = A_LABEL.test(lower) ? decodePunycode(lower.slice(4)) : undefined;
    // One name has one spelling: what does not come back is somebody's trick.
    const isHonest = unicode !== undefined && !isAscii(unicode) && encodePunycode(unicode) === lower.slice(4);
    return isHonest && isUnicodeLabel(unicode) ? unicode : undefined;
  }
  if (label.length > MAX_LABEL) return undefined;
  // Only ASCII letters compare without case; others in upper case are no part of a name (RFC 5892).
  const unicode = label.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  return isUnicodeLabel(unicode) && encodePunycode(unicode).length + 4 <= MAX_LABEL ? unicode : undefined;
}

function isUnicodeLabel(label: string): boolean {
  if (label.startsWith("-") || label.endsWith("-") || isReserved(label) || /^\p{M}/u.test(label)) return false;
  if (label.normalize("NFC") !== label) return false;
  const characters = [...label];
  return characters.every((character, at) => {
    const rule = CONTEXT[character];
    return rule === undefined ? isAllowed(character) : rule(characters, at);
  });
}

/** Letters and digits of all scripts that stay what they are when they are normalised (RFC 5892 §2 and §3). */
function isAllowed(character: string): boolean {
  if (EXCEPTIONS.test(character)) return true;
  if (REFUSED.test(character) || !/[\p{Ll}\p{Lu}\p{Lo}\p{Nd}\p{Lm}\p{Mn}\p{Mc}-]/u.test(character)) return false;
  return character.normalize("NFKC").toLowerCase().normalize("NFKC") === character;
}

const EXCEPTIONS = /[\u00df\u03c2\u06fd\u06fe\u0f0b\u3007]/u;
/** Exceptions to the other side, old Hangul, what is not seen, and the marks of music and of symbols. */
const REFUSED =
  /[\u0640\u07fa\u302e\u302f\u3031-\u3035\u303b\u1100-\u11ff\ua960-\ua97c\ud7b0-\ud7fb\u{1d100}-\u{1d24f}]|[\u20d0-\u20ff]|\p{Default_Ignorable_Code_Point}/u;

type Rule = (characters: readonly string[], at: number) => boolean;

const VIRAMA =
  /[\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d3b\u0d3c\u0d4d\u0dca\u0e3a\u0eba\u0f84\u1039\u103a\u1714\u1734\u17d2\u1a60\u1b44\u1baa\u1bab\u1bf2\u1bf3\u2d7f\ua806\ua8c4\ua953\ua9c0\uaaf6\uabed\u{10a3f}\u{11046}\u{1107f}\u{110b9}\u{11133}\u{11134}\u{111c0}\u{11235}\u{112ea}\u{1134d}\u{11442}\u{114c2}\u{115bf}\u{1163f}\u{116b6}\u{1172b}\u{11839}\u{119e0}\u{11a34}\u{11a47}\u{11a99}\u{11c3f}\u{11d44}\u{11d45}\u{11d97}]/u;
const JOINING = /[\p{Script=Arabic}\p{Script=Syriac}\p{Script=Nko}\p{Script=Mongolian}\p{Script=Mandaic}]/u;
const precededBy =
  (pattern: RegExp): Rule =>
  (characters, at) =>
    pattern.test(characters[at - 1] ?? "");
const without =
  (pattern: RegExp): Rule =>
  (characters) =>
    !characters.some((character) => pattern.test(character));
/** Between letters that join, which a joiner would part or bind (RFC 5892 A.1). */
const joins: Rule = (characters, at) => {
  const skipMarks = (from: number, step: number): string => {
    let i = from;
    while (/\p{Mn}/u.test(characters[i] ?? "")) i += step;
    return characters[i] ?? "";
  };
  return JOINING.test(skipMarks(at - 1, -1)) && JOINING.test(skipMarks(at + 1, 1));
};
const afterVirama = precededBy(VIRAMA);

/** Characters that belong to a name only beside certain others (RFC 5892, appendix A). */
const CONTEXT: Readonly<Record<string, Rule>> = Object.assign(Object.create(null) as Record<string, Rule>, {
  "\u200c": ((characters, at) => afterVirama(characters, at) || joins(characters, at)) satisfies Rule,
  "\u200d": afterVirama,
  "\u00b7": ((characters, at) => characters[at - 1] === "l" && characters[at + 1] === "l") satisfies Rule,
  "\u0375": ((characters, at) => /\p{Script=Greek}/u.test(characters[at + 1] ?? "")) satisfies Rule,
  "\u05f3": precededBy(/\p{Script=Hebrew}/u),
  "\u05f4": precededBy(/\p{Script=Hebrew}/u),
  "\u30fb": ((characters) =>
    characters.some((character) =>
      /[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]/u.test(character),
    )) satisfies Rule,
  ...forDigits(0x660, without(/[\u06f0-\u06f9]/u)),
  ...forDigits(0x6f0, without(/[\u0660-\u0669]/u)),
});

function forDigits(zero: number, rule: Rule): Record<string, Rule> {
  return Object.fromEntries(Array.from({ length: 10 }, (_, i) => [String.fromCharCode(zero + i), rule]));
}

/** Of what a name may hold: letters of scripts written from right to left, and their digits. */
const RIGHT_TO_LEFT =
  /[\u0590-\u05ff\u0600-\u06ef\u06fa-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;
const ARABIC_DIGIT = /[\u0660-\u0669]/u;
const EUROPEAN_DIGIT = /[0-9\u06f0-\u06f9]/u;

/** A label of a name in which some letter runs from right to left (RFC 5893 §2). */
function keepsDirection(label: string): boolean {
  const characters = [...label].filter((character) => !/\p{Mn}/u.test(character));
  const runsLeft = (character: string): boolean => RIGHT_TO_LEFT.test(character) && !ARABIC_DIGIT.test(character);
  const isLetter = (character: string): boolean =>
    /\p{L}/u.test(character) && !EUROPEAN_DIGIT.test(character) && !RIGHT_TO_LEFT.test(character);
  const first = characters[0] ?? "";
  const last = characters.at(-1) ?? "";
  if (runsLeft(first)) {
    if (characters.some(isLetter) || last === "-") return false;
    return !(ARABIC_DIGIT.test(label) && EUROPEAN_DIGIT.test(label));
  }
  return isLetter(first) && !characters.some((character) => RIGHT_TO_LEFT.test(character)) && last !== "-";
}
