/** A URI and its fragment, as the author wrote it. */
export interface ReferenceUri {
  readonly resource: string;
  readonly fragment: string;
}

/** @returns undefined for what is no reference. A name with a space or a brace is no URI, but is mended as a browser would */
export function findUri(text: string, base: string): ReferenceUri | undefined {
  if (!URL.canParse(text, base)) return undefined;
  const resource = new URL(text, base).href.replace(/#.*$/s, "");
  // `new URL` encodes a fragment; what the author wrote is what a pointer is compared with.
  const hash = text.indexOf("#");
  return { resource, fragment: hash < 0 ? "" : text.slice(hash + 1) };
}
