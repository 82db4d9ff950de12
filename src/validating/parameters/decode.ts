/** Why text cannot be read at all, whatever its schema says. */
export class Malformed {
  readonly keyword: string;
  readonly message: string;
  /** Of the part that cannot be read, where it is only a part. */
  readonly pointer: string | undefined;

  constructor(keyword: string, message: string, pointer?: string) {
    this.keyword = keyword;
    this.message = message;
    this.pointer = pointer;
  }
}

export const BAD_ENCODING = new Malformed("encoding", "has a percent-encoding that is not UTF-8");

/**
 * How text is read where the RFCs leave more than one way. A request is accepted when one reading is valid, since the
 * upstream receives the text itself and not our reading of it.
 */
export interface Reading {
  /** `5` is text where the schema allows text and numbers. */
  readonly asText: boolean;
  /** `%2C` separates items too: many clients encode the commas that they mean as separators. */
  readonly splitDecoded: boolean;
  /** `+` is a plus, not a space: `2026-01-01T00:00:00+02:00`, sent as it is. */
  readonly plusIsPlus: boolean;
  /** Where a single value and a list are both allowed, it is a list. */
  readonly asList: boolean;
}

const reading = (asText: boolean, splitDecoded: boolean, plusIsPlus: boolean, asList: boolean): Reading => ({
  asText,
  splitDecoded,
  plusIsPlus,
  asList,
});
export const FIRST_READING = reading(false, false, false, false);
export const OTHER_READINGS: readonly Reading[] = [
  reading(true, false, false, false),
  reading(false, true, false, false),
  reading(false, false, true, false),
  reading(false, false, false, true),
  reading(true, false, false, true),
  reading(true, true, false, true),
  reading(false, true, false, true),
];

/** @returns undefined for what is not percent-encoded UTF-8 */
export function decodePercent(text: string): string | undefined {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** The text of a query or a form: `+` is a space. @returns undefined for what is not percent-encoded UTF-8 */
export function decodeForm(text: string, plusIsPlus: boolean): string | undefined {
  return decodePercent(!plusIsPlus && text.includes("+") ? text.replaceAll("+", " ") : text);
}
