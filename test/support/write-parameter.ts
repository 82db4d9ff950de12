import type { Parameter } from "../../src/core/operation.ts";

/** How a parameter's value stands in a request: RFC 6570 and OpenAPI 3.2 §4.12.6, written by hand for each style. */
export interface WrittenParameters {
  path: string;
  readonly query: string[];
  readonly headers: Record<string, string>;
  readonly cookies: string[];
}

/** @returns false when the style has no way to write the value: an object inside an object, say */
export function writeParameter(parameter: Parameter, value: unknown, written: WrittenParameters): boolean {
  const { name, in: where } = parameter;
  if (parameter.content !== undefined) {
    const text = /json/.test(parameter.content[0]?.type ?? "") ? JSON.stringify(value) : String(value);
    put(parameter, where === "querystring" ? toForm(value) : where === "header" ? text : encode(text), written);
    return true;
  }
  const isFlat = !isComposite(value) || Object.values(value as object).every((item) => !isComposite(item));
  if (!isFlat) return false;
  if (where === "path") {
    const text = writePath(parameter, value);
    if (text === "") return false;
    written.path = written.path.replaceAll(`{${name}}`, text);
  } else if (where === "query") written.query.push(...writeQuery(parameter, value));
  else if (where === "header") {
    const text = simple(value, parameter.explode, String);
    if (/[^\x20-\x7e]/.test(text)) return false;
    written.headers[name] = text;
  } else if (where === "cookie") {
    if (isComposite(value)) return false;
    written.cookies.push(`${name}=${encode(String(value))}`);
  }
  return true;
}

const isComposite = (value: unknown): value is object => typeof value === "object" && value !== null;
const encode = (text: string): string => encodeURIComponent(text);
const entriesOf = (value: object): [string, string][] =>
  Object.entries(value).map(([key, item]) => [encode(key), encode(String(item))]);
const listOf = (value: object): string[] => (value as unknown[]).map((item) => encode(String(item)));
const toForm = (value: unknown): string =>
  isComposite(value)
    ? entriesOf(value)
        .map((pair) => pair.join("="))
        .join("&")
    : encode(String(value));

function put({ name, in: where }: Parameter, text: string, written: WrittenParameters): void {
  if (where === "path") written.path = written.path.replaceAll(`{${name}}`, text);
  else if (where === "query") written.query.push(`${encode(name)}=${text}`);
  else if (where === "querystring") written.query.push(text);
  else if (where === "header") written.headers[name] = text;
  else written.cookies.push(`${name}=${text}`);
}

function simple(value: unknown, explode: boolean, write: (text: string) => string): string {
  if (Array.isArray(value)) return value.map((item) => write(String(item))).join(",");
  if (!isComposite(value)) return write(String(value));
  const pairs = Object.entries(value).map(([key, item]): [string, string] => [write(key), write(String(item))]);
  return pairs.map((pair) => pair.join(explode ? "=" : ",")).join(",");
}

function writePath({ name, style, explode }: Parameter, value: unknown): string {
  if (style === "label") {
    if (Array.isArray(value)) return `.${listOf(value).join(explode ? "." : ",")}`;
    if (isComposite(value)) {
      return `.${entriesOf(value)
        .map((pair) => pair.join(explode ? "=" : ","))
        .join(explode ? "." : ",")}`;
    }
    return `.${encode(String(value))}`;
  }
  if (style === "matrix") {
    if (Array.isArray(value)) {
      return explode
        ? listOf(value)
            .map((item) => `;${name}=${item}`)
            .join("")
        : `;${name}=${listOf(value).join(",")}`;
    }
    if (isComposite(value)) {
      const pairs = entriesOf(value);
      return explode ? pairs.map((pair) => `;${pair.join("=")}`).join("") : `;${name}=${pairs.flat().join(",")}`;
    }
    return `;${name}=${encode(String(value))}`;
  }
  return simple(value, explode, encode);
}

function writeQuery({ name, style, explode }: Parameter, value: unknown): string[] {
  const key = encode(name);
  if (Array.isArray(value)) {
    if (value.length === 0) return [];
    const items = listOf(value);
    if (explode && style !== "deepObject") return items.map((item) => `${key}=${item}`);
    const separator = style === "spaceDelimited" ? "%20" : style === "pipeDelimited" ? "|" : ",";
    return [`${key}=${items.join(separator)}`];
  }
  if (isComposite(value)) {
    const pairs = entriesOf(value);
    if (style === "deepObject") return pairs.map(([member, item]) => `${key}[${member}]=${item}`);
    if (explode) return pairs.map((pair) => pair.join("="));
    const separator = style === "spaceDelimited" ? "%20" : style === "pipeDelimited" ? "|" : ",";
    return pairs.length === 0 ? [] : [`${key}=${pairs.flat().join(separator)}`];
  }
  return [`${key}=${encode(String(value))}`];
}
