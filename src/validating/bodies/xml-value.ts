import { isObject, type SchemaObject } from "../schema/keywords.ts";
import { OBJECT, type Shape, STRING, toScalar } from "../schema/shape.ts";
import type { XmlElement } from "./xml.ts";

/** An element as the value that the schema describes, by its `xml` objects (OpenAPI 3.2 §4.26). */
export function readXml(element: XmlElement, shape: Shape | undefined): unknown {
  if (shape?.isArray === true) return element.children.map((child) => readXml(child, shape.items));
  const hasInside = element.children.length > 0 || element.attributes.size > 0;
  const isObjectShape =
    shape === undefined ? hasInside : (shape.types & OBJECT) !== 0 && (hasInside || !shape.isScalar);
  if (!isObjectShape) return toScalar(scalarText(element.text, shape), shape?.types ?? STRING, false);
  const value: Record<string, unknown> = Object.create(null);
  const taken = new Set<string>();
  for (const [name, member] of shape?.properties ?? []) {
    const found = readMember(element, name, member, taken);
    if (found !== undefined) value[name] = found;
  }
  /** Of elements that nobody named and that came again. */
  const lists = new Map<string, unknown[]>();
  for (const child of element.children) {
    if (taken.has(child.name)) continue;
    const extra = readXml(child, shape?.member(child.name));
    const list = lists.get(child.name);
    if (list !== undefined) list.push(extra);
    else if (child.name in value) {
      const both = [value[child.name], extra];
      lists.set(child.name, both);
      value[child.name] = both;
    } else value[child.name] = extra;
  }
  for (const [name, text] of element.attributes) {
    if (!taken.has(`@${name}`) && !(name in value)) value[name] = text;
  }
  return value;
}

const scalarText = (text: string, shape: Shape | undefined): string =>
  shape === undefined || (shape.types & STRING) !== 0 ? text : text.trim();

const xmlOf = (shape: Shape): SchemaObject => {
  const xml = shape.annotation("xml");
  return isObject(xml) ? xml : {};
};

function readMember(element: XmlElement, name: string, shape: Shape, taken: Set<string>): unknown {
  const xml = xmlOf(shape);
  const own = typeof xml.name === "string" ? xml.name : name;
  if (xml.attribute === true || xml.nodeType === "attribute") {
    const text = element.attributes.get(own);
    taken.add(`@${own}`);
    return text === undefined ? undefined : toScalar(text, shape.types, false);
  }
  if (xml.nodeType === "text" || xml.nodeType === "cdata") return toScalar(element.text, shape.types, false);
  if (!shape.isArray) {
    const matches = element.children.filter((child) => child.name === own);
    taken.add(own);
    if (matches.length === 0) return undefined;
    const values = matches.map((child) => readXml(child, shape));
    return values.length === 1 ? values[0] : values;
  }
  const itemXml = xmlOf(shape.items);
  if (xml.wrapped === true || xml.nodeType === "element") {
    const wrapper = element.children.find((child) => child.name === own);
    taken.add(own);
    return wrapper?.children.map((child) => readXml(child, shape.items));
  }
  const itemName = typeof itemXml.name === "string" ? itemXml.name : own;
  const items = element.children.filter((child) => child.name === itemName);
  taken.add(itemName);
  return items.length === 0 ? undefined : items.map((child) => readXml(child, shape.items));
}

/** The name that the root must have, where the document gives one. */
export function rootName(shape: Shape): string | undefined {
  const { name } = xmlOf(shape);
  return typeof name === "string" ? name : undefined;
}
