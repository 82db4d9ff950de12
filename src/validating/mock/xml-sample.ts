import { isObject } from "../schema/keywords.ts";
import type { Shape } from "../schema/shape.ts";

const escapeText = (text: string): string => text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);

/** A value written as the XML that its schema's `xml` objects ask for. */
export function toXml(value: unknown, name: string, shape: Shape | undefined): string {
  const xml = shape?.annotation("xml");
  const own = isObject(xml) && typeof xml.name === "string" ? xml.name : name;
  if (Array.isArray(value)) {
    const items = value.map((item) => toXml(item, own, shape?.items)).join("");
    return isObject(xml) && xml.wrapped === true ? `<${own}>${items}</${own}>` : items;
  }
  if (!isObject(value)) return `<${own}>${escapeText(String(value ?? ""))}</${own}>`;
  let attributes = "";
  let children = "";
  for (const [member, inner] of Object.entries(value)) {
    const memberShape = shape?.member(member);
    const memberXml = memberShape?.annotation("xml");
    if (isObject(memberXml) && (memberXml.attribute === true || memberXml.nodeType === "attribute")) {
      attributes += ` ${typeof memberXml.name === "string" ? memberXml.name : member}="${escapeText(String(inner))}"`;
    } else if (isObject(memberXml) && (memberXml.nodeType === "text" || memberXml.nodeType === "cdata")) {
      children += escapeText(String(inner));
    } else children += toXml(inner, member, memberShape);
  }
  return `<${own}${attributes}>${children}</${own}>`;
}
