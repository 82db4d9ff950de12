import type { Operation } from "./operation.ts";

/** What stands in the braces of a path template. */
export interface PathExpression {
  readonly name: string;
  /** It may hold slashes: `{+name}` of RFC 6570, `{proxy+}` of API Gateway, `{path*}` and `{*path}` of several frameworks. */
  readonly isRest: boolean;
}

/** @param source without its braces */
export function parseExpression(source: string): PathExpression {
  // Documents that write `{.name}` or `{;name*}` of RFC 6570 mean a parameter called name, in style label or matrix.
  const styled = /^[.;]([^*]+)\*?$/s.exec(source)?.[1];
  if (styled !== undefined) return { name: styled, isRest: false };
  const [, before = "", name = source, after = ""] = /^([+]|\*{1,2})?(.*?)([+*])?$/s.exec(source) ?? [];
  const isRest = before !== "" || after !== "";
  return name === "" ? { name: source, isRest: false } : { name, isRest };
}

/** Parts of a segment of a template: at even places text, at odd ones expressions. */
export const splitExpressions = (segment: string): string[] => segment.split(/\{([^{}]*)\}/);

/** Names of the parameters of a template, in order. */
export const pathNames = (template: string): string[] =>
  splitExpressions(toPathOnly(template)).flatMap((part, i) => (i % 2 === 1 ? [parseExpression(part).name] : []));

/**
 * A template without its query or fragment, which are no part of a path: documents that have them tell operations apart
 * by them, or write `{?page,limit}` (RFC 6570).
 */
export const toPathOnly = (template: string): string => template.replace(/(?:[?#]|\{[?&#]).*$/s, "");

/** The segments of a template, still encoded as the document has them. */
export const splitTemplate = (template: string): string[] => toPathOnly(template).slice(1).split("/");

/** Tells how many segments of a request's path stand before the template: of several bases, those that it came by. */
export function baseCounter({ path, bases }: Pick<Operation, "path" | "bases">): (requested: string) => number {
  const depths = new Set(bases.map(depthOf));
  const [depth = 0] = depths;
  if (depths.size === 1) return () => depth;
  const hasRest = splitExpressions(path).some((part, i) => i % 2 === 1 && parseExpression(part).isRest);
  const length = splitTemplate(path).length;
  if (!hasRest) return (requested) => requested.split("/").length - 1 - length;
  const encoded = bases.map((base) => `${encodeURI(base)}/`).sort((a, b) => b.length - a.length);
  return (requested) => depthOf(encoded.find((base) => requested.startsWith(base)) ?? "/") - 1;
}

const depthOf = (base: string): number => base.split("/").length - 1;
