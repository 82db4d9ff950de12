import { GatewayError } from "../core/errors.ts";

const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };
const decode = (text: string): string =>
  text.trim().replace(/&(lt|gt|quot|apos|amp);/g, (_, name: string) => ENTITIES[name] as string);
const encode = (text: string): string =>
  text.replace(/[<>"&]/g, (one) => ({ "<": "&lt;", ">": "&gt;", '"': "&quot;" })[one] ?? "&amp;");

type Tree = { [name: string]: Tree | string };

/**
 * The elements of an instance as Eureka's XML has them: text, elements within, and the attribute `enabled`.
 * A document type is refused: there are no entities to expand (ATTACKS: XXE).
 */
export function parseXml(source: string): Tree {
  if (/<!(DOCTYPE|ENTITY)/i.test(source)) throw new GatewayError("BODY_MALFORMED", "a document type is refused");
  const root: Tree = {};
  const open: { name: string; tree: Tree; text: string; enabled: string | undefined }[] = [
    { name: "", tree: root, text: "", enabled: undefined },
  ];
  for (const [, closing, name, attributes = "", empty, text] of source.matchAll(
    /<(\/?)([A-Za-z][\w.-]{0,127})([^<>]*?)(\/?)>|([^<]+)/g,
  )) {
    const top = open[open.length - 1];
    if (top === undefined || open.length > 16) throw malformed();
    if (text !== undefined) top.text += text;
    else if (closing === "/") {
      if (top.name !== name) throw malformed();
      open.pop();
      const isLeaf = Object.keys(top.tree).length === 0;
      const value = !isLeaf ? top.tree : decode(top.text);
      const parent = open[open.length - 1];
      if (parent === undefined || name === undefined) throw malformed();
      const attributed = top.enabled === undefined ? value : { $: String(value), "@enabled": top.enabled };
      Object.defineProperty(parent.tree, name, { value: attributed, enumerable: true, configurable: true });
    } else if (empty !== "/" && name !== undefined) {
      open.push({ name, tree: {}, text: "", enabled: /\benabled="(\w+)"/.exec(attributes)?.[1] });
    }
  }
  if (open.length !== 1) throw malformed();
  return root;
}

const malformed = (): GatewayError => new GatewayError("BODY_MALFORMED", "the body is not the XML of an instance");

/** Objects as elements, lists as elements of one name, `@enabled` as an attribute, `$` as text. */
export function toXml(name: string, value: unknown): string {
  if (Array.isArray(value)) return value.map((one) => toXml(name, one)).join("");
  if (typeof value !== "object" || value === null) return `<${name}>${encode(String(value))}</${name}>`;
  const { "@class": type, "@enabled": enabled, $: text, ...children } = value as Record<string, unknown>;
  const attributes =
    (type === undefined ? "" : ` class="${encode(String(type))}"`) +
    (enabled === undefined ? "" : ` enabled="${encode(String(enabled))}"`);
  const inner = text === undefined ? "" : encode(String(text));
  const within = Object.entries(children).map(([key, child]) => toXml(key, child));
  return `<${name}${attributes}>${inner}${within.join("")}</${name}>`;
}
