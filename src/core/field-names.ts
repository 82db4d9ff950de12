/** Characters of a field name (RFC 9110 §5.6.2). */
const TOKEN = new Uint8Array(256);
for (const character of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") {
  TOKEN[character.charCodeAt(0)] = 1;
}
const COLON = 58;

/** A valid field name. Of each spelling there is one text, so that texts which come with each request compare by reference. */
export interface FieldName {
  readonly spelled: string;
  readonly lower: string;
  /** What it says most often; undefined where that is nobody's business. */
  readonly usual: UsualValue | undefined;
}

interface KnownName extends FieldName {
  /** As it begins a line, with its colon. */
  readonly codes: Uint8Array;
}

/** Bounded, as clients and upstreams choose names, too: no more than so many, and none that is longer. */
const MAX_KNOWN = 1000;
const MAX_LENGTH = 64;
const known = new Map<string, KnownName>();

/** What stood last in that place of a header section and began with that letter: most often it does so again. */
const PLACES = 16;
const LETTERS = 32;
const guesses = new Array<KnownName | undefined>(PLACES * LETTERS).fill(undefined);

/** Values that are another one before the last of them is taken for the usual one. */
const OTHERS = 32;
const MAX_VALUE_LENGTH = 128;

/** Of these the same value comes again and again, and none of them tells who somebody is: no credential is kept here. */
const RECURRING = new Set([
  "accept",
  "accept-encoding",
  "accept-language",
  "accept-ranges",
  "access-control-allow-origin",
  "cache-control",
  "cdn-cache-control",
  "connection",
  "content-encoding",
  "content-length",
  "content-type",
  "date",
  "host",
  "keep-alive",
  "last-modified",
  "server",
  "strict-transport-security",
  "transfer-encoding",
  "user-agent",
  "vary",
  "via",
  "x-content-type-options",
  "x-frame-options",
  "x-powered-by",
]);

/** The value that a field has most often: one text that lies by itself, where each that is read is a piece of its section. */
export class UsualValue {
  text = "";
  /** Its characters, each a byte. */
  codes: Uint8Array = NOTHING;
  private others = 0;

  /** Another value came. */
  tell(value: string): void {
    this.others++;
    if (this.others < OTHERS) return;
    this.others = 0;
    if (value.length > MAX_VALUE_LENGTH) return;
    this.codes = Buffer.from(value, "latin1");
    this.text = (this.codes as Buffer).toString("latin1");
  }
}
const NOTHING = new Uint8Array(0);

/**
 * Reads the name at the beginning of a field line.
 * @param text a header section, each character a byte
 * @param at where the line begins
 * @param place number of the line in its section
 * @returns undefined: there is no valid one with a colon right behind it
 */
export function readFieldName(text: string, at: number, place: number): FieldName | undefined {
  const guess = (text.charCodeAt(at) & (LETTERS - 1)) * PLACES + (place & (PLACES - 1));
  const guessed = guesses[guess];
  if (guessed !== undefined && isThere(guessed.codes, text, at)) return guessed;
  let end = at;
  while (TOKEN[text.charCodeAt(end)] === 1) end++;
  if (end === at || text.charCodeAt(end) !== COLON) return undefined;
  const spelled = text.slice(at, end);
  const name = takeUp(spelled);
  if (name === undefined) return { spelled, lower: spelled.toLowerCase(), usual: undefined };
  guesses[guess] = name;
  return name;
}

/** @returns undefined for one that is not valid, and for some that are just not known */
export function findFieldName(spelled: string): FieldName | undefined {
  const name = known.get(spelled);
  return name === undefined && isToken(spelled) ? takeUp(spelled) : name;
}

function isThere(codes: Uint8Array, text: string, at: number): boolean {
  for (let i = 0; i < codes.length; i++) if (text.charCodeAt(at + i) !== codes[i]) return false;
  return true;
}

function isToken(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (TOKEN[text.charCodeAt(i)] !== 1) return false;
  return text !== "";
}

function takeUp(name: string): KnownName | undefined {
  const found = known.get(name);
  if (found !== undefined || known.size >= MAX_KNOWN || name.length > MAX_LENGTH) return found;
  const spelled = intern(name);
  const lower = intern(name.toLowerCase());
  const usual = RECURRING.has(lower) ? new UsualValue() : undefined;
  const made = { spelled, lower, usual, codes: Buffer.from(`${name}:`, "latin1") };
  known.set(spelled, made);
  return made;
}

/** The one text that the runtime has for the keys of objects, and for the names in its programs. */
const intern = (text: string): string => Object.keys({ [text]: 0 })[0] as string;
