import { readFileSync } from "node:fs";
import { parseSource } from "./parse.ts";
import { SpecError } from "./spec-error.ts";

/** @throws SpecError when the file cannot be read or parsed */
export function readSource(file: string): unknown {
  let text: string;
  try {
    // Decoded as a whole: in pieces, as `readFile` does it, costs twice as much.
    text = decode(readFileSync(file));
  } catch (cause) {
    throw new SpecError("cannot be read; check the path", { file }, { cause });
  }
  return parseSource(text, file);
}

/** UTF-16 is what some editors of Windows save as "Unicode". */
const decode = (bytes: Buffer): string =>
  bytes[0] === 0xff && bytes[1] === 0xfe ? bytes.toString("utf16le") : bytes.toString("utf8");
