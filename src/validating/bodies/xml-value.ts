import { isObject, type SchemaObject } from "../schema/keywords.ts";
import { NULL, OBJECT, type Shape, STRING, toScalar } from "../schema/shape.ts";
import { escapeToken } from "../violation.ts";
import type { XmlElement } from "./xml.ts";

/** Told where names or namespaces are others than the `xml` objects say. */
export type ReportXml = (pointer: string, message: string) => void;

/** A document as the value that the schema describes, by its `xml` objects (OpenAPI 3.2 §4.26). */
export function readRoot(root: XmlElement, shape: Shape, report: ReportXml): unknown {
  const xml = xmlOf(shape);
  if (typeof xml.name === "string" && xml.name !== root.name) report("", `the root element must be <${xml.name}>`);
  else checkNamespace(root, xml, "", report);
  return readElement(root, shape, "", report);
}

function readElement(element: XmlElement, shape: Shape | undefined, pointer: string, report: ReportXml): unknown {
  if (element.isNil && (shape === undefined || (shape.types & NULL) !== 0)) return null;
  if (shape?.isArray === true) return readItems(element, shape, pointer, report);
  const hasInside = element.children.length > 0 || element.attributes.size > 0;
  const isObjectShape =
    shape === undefined ? hasInside : (shape.types & OBJECT) !== 0 && (hasInside || !shape.isScalar);
  if (!isObjectShape) return toScalar(scalarText(element.text, shape), shape?.types ?? STRING, false);
  if (shape !== undefined && !takesText(shape)) refuseText(element, pointer, report);
  const value: Record<string, unknown> = Object.create(null);
  const taken = new Set<string>();
  const byName = childrenByName(element);
  for (const [name, member] of shape?.properties ?? []) {
    const found = readMember(element, byName, name, member, taken, `${pointer}/${escapeToken(name)}`, report);
    if (found !== undefined) value[name] = found;
  }
  /** Of elements that nobody named and that came again. */
  const lists = new Map<string, unknown[]>();
  for (const child of element.children) {
    if (taken.has(child.name)) continue;
    const described = shape?.properties.get(child.name);
    if (described !== undefined) {
      report(`${pointer}/${escapeToken(child.name)}`, placeOf(child.name, described));
      continue;
    }
    const extra = readElement(child, shape?.member(child.name), `${pointer}/${escapeToken(child.name)}`, report);
    const list = lists.get(child.name);
    if (list !== undefined) list.push(extra);
    else if (child.name in value) {
      const both = [value[child.name], extra];
      lists.set(child.name, both);
      value[child.name] = both;
    } else value[child.name] = extra;
  }
  for (const [name, { text }] of element.attributes) {
    // An attribute that has the name of an element is not that element.
    if (!taken.has(`@${name}`) && !(name in value) && shape?.properties.has(name) !== true) value[name] = text;
  }
  return value;
}

/** Whether an element with others inside has a place for text of its own: only 3.2 has one, `nodeType`. */
function takesText(shape: Shape): boolean {
  if ((shape.types & STRING) !== 0 && shape.properties.size === 0) return true;
  for (const member of shape.properties.values()) if (isText(xmlOf(member))) return true;
  return false;
}

/** Who reads the document would find what nothing here has looked at. */
function refuseText({ text }: XmlElement, pointer: string, report: ReportXml): void {
  if (/[^ \t\r\n]/.test(text)) report(pointer, "has text beside its elements, which the schema has no place for");
}

const scalarText = (text: string, shape: Shape | undefined): string =>
  shape === undefined || (shape.types & STRING) !== 0 ? text : text.trim();

const xmlOf = (shape: Shape): SchemaObject => {
  const xml = shape.annotation("xml");
  return isObject(xml) ? xml : {};
};

/** What is told of a member that stands as an element of its own name, and is described in another way. */
function placeOf(member: string, shape: Shape): string {
  const xml = xmlOf(shape);
  if (isAttribute(xml)) return "must be an attribute";
  return isText(xml) ? "must be the text of its element" : `must be an element <${elementOf(member, shape).name}>`;
}

const isAttribute = (xml: SchemaObject): boolean => xml.attribute === true || xml.nodeType === "attribute";
const isText = (xml: SchemaObject): boolean => xml.nodeType === "text" || xml.nodeType === "cdata";

/** Which elements hold a member: those of its items, when it is a list without a wrapper. */
function elementOf(member: string, shape: Shape): { name: string; xml: SchemaObject; isWrapped: boolean } {
  const own = xmlOf(shape);
  const isWrapped = shape.isArray && (own.wrapped === true || own.nodeType === "element");
  const xml = shape.isArray && !isWrapped ? xmlOf(shape.items) : own;
  const name = [xml.name, own.name].find((candidate) => typeof candidate === "string");
  return { name: name ?? member, xml, isWrapped };
}

/** Where a document names a namespace, an element of another one is another element, whatever it is called. */
function checkNamespace(
  { namespace }: { readonly namespace: string },
  xml: SchemaObject,
  pointer: string,
  report: ReportXml,
): void {
  if (typeof xml.namespace === "string" && xml.namespace !== namespace) {
    report(pointer, `must be in the namespace ${xml.namespace}`);
  }
}

/** The children of an element that holds a list and nothing else. */
function readItems(element: XmlElement, shape: Shape, pointer: string, report: ReportXml): unknown[] {
  const xml = xmlOf(shape.items);
  if (!isText(xml)) refuseText(element, pointer, report);
  return element.children.map((child, i) => {
    const at = `${pointer}/${i}`;
    if (typeof xml.name === "string" && xml.name !== child.name) report(at, `must be an element <${xml.name}>`);
    else checkNamespace(child, xml, at, report);
    return readElement(child, shape.items, at, report);
  });
}

/** Looked through once for all members: a client sends many children, and a document names many members. */
function childrenByName({ children }: XmlElement): ReadonlyMap<string, XmlElement[]> {
  const byName = new Map<string, XmlElement[]>();
  for (const child of children) {
    const same = byName.get(child.name);
    if (same === undefined) byName.set(child.name, [child]);
    else same.push(child);
  }
  return byName;
}

function readMember(
  element: XmlElement,
  byName: ReadonlyMap<string, XmlElement[]>,
  name: string,
  shape: Shape,
  taken: Set<string>,
  pointer: string,
  report: ReportXml,
): unknown {
  const own = xmlOf(shape);
  if (isAttribute(own)) {
    const attributeName = typeof own.name === "string" ? own.name : name;
    const attribute = element.attributes.get(attributeName);
    taken.add(`@${attributeName}`);
    if (attribute === undefined) return undefined;
    checkNamespace(attribute, own, pointer, report);
    return toScalar(attribute.text, shape.types, false);
  }
  if (isText(own)) return toScalar(element.text, shape.types, false);
  const { name: elementName, xml, isWrapped } = elementOf(name, shape);
  const matches = byName.get(elementName) ?? [];
  taken.add(elementName);
  if (matches.length === 0) return undefined;
  for (const match of matches) checkNamespace(match, xml, pointer, report);
  if (isWrapped && matches.length > 1) report(pointer, `<${elementName}> must be given once`);
  if (isWrapped) return readElement(matches[0] as XmlElement, shape, pointer, report);
  const values = matches.map((child, i) =>
    readElement(child, shape.isArray ? shape.items : shape, shape.isArray ? `${pointer}/${i}` : pointer, report),
  );
  return shape.isArray || values.length > 1 ? values : values[0];
}
