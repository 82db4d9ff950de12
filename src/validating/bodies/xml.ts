import type { SaxesParser } from "saxes";
import { lazyPackage } from "../../core/lazy.ts";
import { Malformed } from "../parameters/decode.ts";
import { readXmlText } from "./charset.ts";

/** An attribute of an element. */
export interface XmlAttribute {
  readonly text: string;
  /** Empty for none. */
  readonly namespace: string;
}

/** An XML element as it was written. Names are local: prefixes are the sender's choice. */
export interface XmlElement {
  readonly name: string;
  /** Empty for none. */
  readonly namespace: string;
  readonly attributes: ReadonlyMap<string, XmlAttribute>;
  /** `xsi:nil="true"`: null, whatever stands inside. */
  readonly isNil: boolean;
  readonly children: XmlElement[];
  text: string;
}

const saxes = lazyPackage<typeof import("saxes")>("saxes");
const MAX_DEPTH = 256;
/** Elements and attributes: each takes some hundred bytes of memory for the four of `<a/>`. */
const MAX_NODES = 100_000;
const NO_ATTRIBUTES: ReadonlyMap<string, XmlAttribute> = new Map();
/** Its attributes say how a document is to be read, and are no data. */
const XSI = "http://www.w3.org/2001/XMLSchema-instance";

/**
 * Parses a document. A document type is refused: its entities could grow without bound or read files, and no API needs
 * one. ATTACKS 42, 51.
 */
export function parseXml(bytes: Buffer, charset?: string): XmlElement | Malformed {
  const document = readXmlText(bytes, charset);
  if (document instanceof Malformed) return document;
  const { SaxesParser } = saxes();
  const parser: SaxesParser<{ xmlns: true }> = new SaxesParser({ xmlns: true, position: false });
  const stack: XmlElement[] = [];
  let root: XmlElement | undefined;
  let nodes = 0;
  let failure: Malformed | undefined;
  const fail = (message: string): never => {
    failure = new Malformed("parse", message);
    throw failure;
  };
  parser.on("doctype", () => fail("has a document type, which is not taken"));
  parser.on("error", () => fail("is not well-formed XML"));
  parser.on("opentag", (tag) => {
    if (stack.length >= MAX_DEPTH) fail(`is nested deeper than ${MAX_DEPTH} levels`);
    const written = Object.values(tag.attributes);
    nodes += 1 + written.length;
    if (nodes > MAX_NODES) fail(`has more than ${MAX_NODES} elements and attributes`);
    const attributes =
      written.length === 0
        ? NO_ATTRIBUTES
        : new Map(
            written
              .filter(({ prefix, local, uri }) => prefix !== "xmlns" && local !== "xmlns" && uri !== XSI)
              .map(({ local, value, uri }) => [local, { text: value, namespace: uri }]),
          );
    const isNil = written.some(
      ({ uri, local, value }) => uri === XSI && local === "nil" && (value === "true" || value === "1"),
    );
    const element: XmlElement = { name: tag.local, namespace: tag.uri, attributes, isNil, children: [], text: "" };
    stack[stack.length - 1]?.children.push(element);
    root ??= element;
    stack.push(element);
  });
  const addText = (text: string): void => {
    const open = stack[stack.length - 1];
    if (open !== undefined) open.text += text;
  };
  parser.on("text", addText);
  parser.on("cdata", addText);
  parser.on("closetag", () => {
    stack.pop();
  });
  try {
    parser.write(document).close();
  } catch (error) {
    if (failure !== undefined) return failure;
    throw error;
  }
  return root ?? new Malformed("parse", "is not XML");
}
