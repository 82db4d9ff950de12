import { isIPv4, isIPv6 } from "node:net";
import { isHostname, isIdnHostname } from "./host-names.ts";

/** A format applies to strings or to numbers; on any other type it says nothing (JSON Schema 2020-12 §7.1). */
export interface Format {
  readonly type: "string" | "number";
  readonly validate: (value: never) => boolean;
}
const string = (validate: (value: string) => boolean): Format => ({ type: "string", validate });
const number = (validate: (value: number | bigint) => boolean): Format => ({ type: "number", validate });
const whole = (least: number, end: number): Format =>
  number((value) => (Number.isInteger(value) || typeof value === "bigint") && value >= least && value < end);

const DATE = /^\d{4}-\d\d-\d\d$/;
const DAYS = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
/** The two digits that stand at a place. */
const two = (text: string, at: number): number => text.charCodeAt(at) * 10 + text.charCodeAt(at + 1) - 48 * 11;

function isDate(text: string): boolean {
  return DATE.test(text) && isDay(text);
}
/** @param text starts with the digits of a date */
function isDay(text: string): boolean {
  const year = two(text, 0) * 100 + two(text, 2);
  const month = two(text, 5);
  const day = two(text, 8);
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month >= 1 && month <= 12 && day >= 1 && day <= (month === 2 && isLeap ? 29 : (DAYS[month] as number));
}

const TIME = /^\d\d:\d\d:\d\d(?:\.\d+)?(?:[zZ]|[+-]\d\d:\d\d)$/;
function isTime(text: string): boolean {
  return TIME.test(text) && isClock(text, 0);
}
/** @param at where the digits of a time start; its offset ends the text */
function isClock(text: string, at: number): boolean {
  const hour = two(text, at);
  const minute = two(text, at + 3);
  const second = two(text, at + 6);
  const isZulu = (text.charCodeAt(text.length - 1) | 0x20) === 0x7a;
  const offsetHour = isZulu ? 0 : two(text, text.length - 5);
  const offsetMinute = isZulu ? 0 : two(text, text.length - 2);
  if (hour > 23 || minute > 59 || offsetHour > 23 || offsetMinute > 59) return false;
  if (second <= 59) return true;
  // A leap second is the last one of a day in UTC.
  const sign = text.at(-6) === "-" ? -1 : 1;
  const utc = hour * 60 + minute - sign * (offsetHour * 60 + offsetMinute);
  return second === 60 && (utc + 1440) % 1440 === 1439;
}

const DATE_TIME = /^\d{4}-\d\d-\d\d[tT]\d\d:\d\d:\d\d(?:\.\d+)?(?:[zZ]|[+-]\d\d:\d\d)$/;
const isDateTime = (text: string): boolean => DATE_TIME.test(text) && isDay(text) && isClock(text, 11);

const DURATION =
  /^P(?!$)(?:\d+W|(?:\d+Y(?:\d+M(?:\d+D)?)?|\d+M(?:\d+D)?|\d+D)?(?:T(?=\d)(?:\d+H(?:\d+M(?:\d+S)?)?|\d+M(?:\d+S)?|\d+S)?)?)$/;

const URI_CHARACTERS = /^(?:[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*$/;
const IRI_CHARACTERS =
  /^(?:[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=\u00a0-\ud7ff\ue000-\ufdcf\ufdf0-\uffef]|[\ud800-\udbff][\udc00-\udfff]|%[0-9A-Fa-f]{2})*$/;
const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*:/;
function isReference(text: string, characters: RegExp, needsScheme: boolean): boolean {
  if (!characters.test(text)) return false;
  const scheme = SCHEME.exec(text)?.[0] ?? "";
  if (scheme === "") {
    const firstSegment = text.split(/[/?#]/, 1)[0] as string;
    if (needsScheme || firstSegment.includes(":")) return false;
  }
  const [hierarchy = "", ...fragments] = text.slice(scheme.length).split("#");
  if (fragments.length > 1 || fragments.some((fragment) => /[[\]]/.test(fragment))) return false;
  const [path = "", ...queries] = hierarchy.split("?");
  if (/[[\]]/.test(queries.join("?"))) return false;
  if (!path.startsWith("//")) return !/[[\]]/.test(path);
  const authority = path.slice(2).split("/", 1)[0] as string;
  return !/[[\]]/.test(path.slice(2 + authority.length)) && isAuthority(authority);
}
function isAuthority(authority: string): boolean {
  const at = authority.lastIndexOf("@");
  if (/[@[\]]/.test(authority.slice(0, Math.max(0, at)))) return false;
  const host = /^(\[[^\]]*\]|[^:[\]]*)(?::\d*)?$/.exec(authority.slice(at + 1))?.[1];
  if (host === undefined) return false;
  if (!host.startsWith("[")) return true;
  const address = host.slice(1, -1);
  return isIPv6(address) || /^v[0-9a-f]+\.[A-Za-z0-9\-._~!$&'()*+,;=:]+$/i.test(address);
}

const LOCAL = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;
const QUOTED = /^"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\[\x20-\x7e])*"$/;
/** What nearly all addresses look like. Each piece ends where the next one begins, so it reads a text once. */
const PLAIN_EMAIL =
  /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@[A-Za-z0-9]{1,63}(?:\.[A-Za-z0-9]{1,63})*$/;
function isEmail(text: string): boolean {
  if (text.length < 254 && PLAIN_EMAIL.test(text)) return true;
  const at = text.lastIndexOf("@");
  if (at < 1 || text.length > 320) return false;
  const local = text.slice(0, at);
  const domain = text.slice(at + 1);
  if (!LOCAL.test(local) && !QUOTED.test(local)) return false;
  if (!domain.startsWith("[")) return isHostname(domain);
  const literal = domain.slice(1, -1);
  return domain.endsWith("]") && (isIPv4(literal) || (/^ipv6:/i.test(literal) && isIPv6(literal.slice(5))));
}
const IDN_LOCAL =
  /^(?:[A-Za-z0-9!#$%&'*+/=?^_`{|}~\x80-\uffff-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~\x80-\uffff-]+)*|"(?:[\x20\x21\x23-\x5b\x5d-\x7e\x80-\uffff]|\\[\x20-\x7e])*")$/;
/** Likewise with letters of all scripts (RFC 6531 §3.3). */
function isIdnEmail(text: string): boolean {
  if (isEmail(text)) return true;
  const at = text.lastIndexOf("@");
  return (
    at > 0 &&
    text.length <= 320 &&
    IDN_LOCAL.test(text.slice(0, at)) &&
    isIdnHostname(text.slice(at + 1).normalize("NFC"))
  );
}

const POINTER = /^(?:\/(?:[^~/]|~0|~1)*)*$/;
const TEMPLATE =
  /^(?:[^\x00-\x20\x7f"<>%\\^`{|}]|%[0-9A-Fa-f]{2}|\{[+#./;?&=,!@|]?(?:\w|%[0-9A-Fa-f]{2})(?:\.?(?:\w|%[0-9A-Fa-f]{2}))*(?::[1-9]\d{0,3}|\*)?(?:,(?:\w|%[0-9A-Fa-f]{2})(?:\.?(?:\w|%[0-9A-Fa-f]{2}))*(?::[1-9]\d{0,3}|\*)?)*\})*$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

function isPattern(text: string): boolean {
  try {
    new RegExp(text, "u");
    return true;
  } catch {
    return false;
  }
}

/**
 * The formats that are checked. What is not here says nothing: `password`, `binary`, `html` and every format of
 * somebody's own are for the reader (OpenAPI 3.2 §4.4).
 */
export const FORMATS: Readonly<Record<string, Format>> = Object.assign(Object.create(null) as Record<string, Format>, {
  date: string(isDate),
  time: string(isTime),
  "date-time": string(isDateTime),
  duration: string((text) => DURATION.test(text) && !text.endsWith("T")),
  uri: string((text) => isReference(text, URI_CHARACTERS, true)),
  "uri-reference": string((text) => isReference(text, URI_CHARACTERS, false)),
  iri: string((text) => isReference(text, IRI_CHARACTERS, true)),
  "iri-reference": string((text) => isReference(text, IRI_CHARACTERS, false)),
  "uri-template": string((text) => text.length <= 8192 && TEMPLATE.test(text)),
  email: string(isEmail),
  "idn-email": string(isIdnEmail),
  hostname: string(isHostname),
  "idn-hostname": string(isIdnHostname),
  ipv4: string(isIPv4),
  ipv6: string((text) => isIPv6(text) && !text.includes("%")),
  regex: string(isPattern),
  uuid: string((text) => UUID.test(text)),
  "json-pointer": string((text) => POINTER.test(text)),
  "relative-json-pointer": string((text) => /^(?:0|[1-9]\d*)(?:#|(?:\/(?:[^~/]|~0|~1)*)*)$/.test(text)),
  byte: string((text) => text.length % 4 === 0 && BASE64.test(text)),
  base64url: string((text) => /^[A-Za-z0-9_-]*={0,2}$/.test(text)),
  int8: whole(-(2 ** 7), 2 ** 7),
  uint8: whole(0, 2 ** 8),
  int16: whole(-(2 ** 15), 2 ** 15),
  uint16: whole(0, 2 ** 16),
  int32: whole(-(2 ** 31), 2 ** 31),
  uint32: whole(0, 2 ** 32),
  int64: whole(-(2 ** 63), 2 ** 63),
  uint64: whole(0, 2 ** 64),
  float: number((value) => Number.isFinite(Math.fround(Number(value)))),
  double: number((value) => Number.isFinite(Number(value))),
});
