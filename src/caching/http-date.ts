const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS = "mon|tue|wed|thu|fri|sat|sun";
const IMF = new RegExp(`^(?:${DAYS}), (\\d\\d) ([a-z]{3}) (\\d{4}) (\\d\\d):(\\d\\d):(\\d\\d) gmt$`);
const RFC850 = /^(?:mon|tues|wednes|thurs|fri|satur|sun)day, (\d\d)-([a-z]{3})-(\d\d) (\d\d):(\d\d):(\d\d) gmt$/;
const ASCTIME = new RegExp(`^(?:${DAYS}) ([a-z]{3}) ([ \\d]\\d) (\\d\\d):(\\d\\d):(\\d\\d) (\\d{4})$`);

const IMF_LENGTH = 29;

/**
 * The last few dates that were read: every answer of a second has the same `Date`, and a stored one the same
 * `Last-Modified` each time it is asked about. Only of the form that means the same at any time.
 */
class LastDates {
  private readonly texts = new Array<string>(4).fill("");
  private readonly values = new Array<number>(4).fill(0);
  private next = 0;
  /** Nearly always it is the one that was found last: to look for it among the others costs a comparison of each. */
  private last = 0;

  find(text: string): number | undefined {
    if (this.texts[this.last] !== text) {
      const i = this.texts.indexOf(text);
      if (i < 0) return undefined;
      this.last = i;
    }
    return text === "" ? undefined : this.values[this.last];
  }

  add(text: string, ms: number): void {
    this.texts[this.next] = text;
    this.values[this.next] = ms;
    this.next = (this.next + 1) & 3;
  }
}
const lastDates = new LastDates();

/**
 * A date in one of the three forms of HTTP (RFC 9110 §5.6.7), letters in any case. `Date.parse` takes far more, and
 * what it takes by guessing would be reused by guessing.
 * @param nowMs a two-digit year is the latest one that is not more than 50 years ahead of it
 * @returns milliseconds since 1970, or undefined
 */
export function findHttpDate(value: string, nowMs: number): number | undefined {
  const known = lastDates.find(value);
  if (known !== undefined) return known;
  const ms = parse(value, nowMs);
  if (ms !== undefined && value.length === IMF_LENGTH) lastDates.add(value, ms);
  return ms;
}

function parse(value: string, nowMs: number): number | undefined {
  const text = value.toLowerCase();
  let match = IMF.exec(text);
  if (match !== null) return toMs(match[3], match[2], match[1], match[4], match[5], match[6]);
  match = ASCTIME.exec(text);
  if (match !== null) return toMs(match[6], match[1], match[2], match[3], match[4], match[5]);
  match = RFC850.exec(text);
  if (match === null) return undefined;
  const thisYear = new Date(nowMs).getUTCFullYear();
  let year = thisYear - (thisYear % 100) + Number(match[3]);
  if (year > thisYear + 50) year -= 100;
  return toMs(String(year), match[2], match[1], match[4], match[5], match[6]);
}

function toMs(
  year?: string,
  month?: string,
  day?: string,
  hours?: string,
  minutes?: string,
  seconds?: string,
): number | undefined {
  const index = MONTHS.indexOf(month as string);
  if (index < 0 || Number(hours) > 23 || Number(minutes) > 59 || Number(seconds) > 60) return undefined;
  const ms = Date.UTC(Number(year), index, Number(day), Number(hours), Number(minutes), Number(seconds));
  return new Date(ms).getUTCDate() === Number(day) || Number(seconds) === 60 ? ms : undefined;
}

export const toHttpDate = (ms: number): string => new Date(ms).toUTCString();
