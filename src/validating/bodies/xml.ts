import type { SaxesParser } from "saxes";
import { lazyPackage } from "../../core/lazy.ts";
import { Malformed } from "../parameters/decode.ts";

/** An XML element as it was written. Names are local: prefixes are the sender's choice. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: XmlElement[];
  text: string;
}

const saxes = lazyPackage<typeof import("saxes")>("saxes");
const MAX_DEPTH = 256;
/** Elements and attributes: each takes some hundred bytes of memory for the four of `<a/>`. */
const MAX_NODES = 100_000;
const NO_ATTRIBUTES: ReadonlyMap<string, string> = new Map();

/**
 * Parses a document. A document type is refused: its entities could grow without bound or read files, and no API needs
 * one. ATTACKS 42, 51.
 */
export function parseXml(bytes: Buffer): XmlElement | Malformed {
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
              .filter(({ prefix, local }) => prefix !== "xmlns" && local !== "xmlns")
              .map(({ local, value }) => [local, value]),
          );
    const element: XmlElement = { name: tag.local, attributes, children: [], text: "" };
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
    parser.write(bytes.toString("utf8").replace(/^\ufeff/, "")).close();
  } catch (error) {
    if (failure !== undefined) return failure;
    throw error;
  }
  return root ?? new Malformed("parse", "is not XML");
}
