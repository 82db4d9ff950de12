import type { AST } from "@eslint-community/regexpp";

const ASCII = 0x80;
const BASIC_PLANE = 0x10000;
const UNKNOWN = 0;
const IN = 1;
const OUT = 2;

/** What stands for one character of several. */
export type SetNode = AST.CharacterSet | AST.CharacterClass | AST.ExpressionCharacterClass;

/** The characters that a class or an escape matches, as V8 says, and remembered. */
export class CharacterSet {
  private readonly native: RegExp;
  private readonly known = new Uint8Array(ASCII);
  /** For the rest of the basic plane, once a text needs it. */
  private beyond: Uint8Array | undefined;

  private readonly isAscii: boolean;

  constructor(node: SetNode, isUnicode: boolean) {
    this.native = new RegExp(`^${node.raw}$`, isUnicode ? "u" : "");
    this.isAscii = isAscii(node);
    for (let code = 0; code < ASCII; code++) this.known[code] = this.find(code);
  }

  /** @param code a code point; without the `u` flag, half of one may be */
  has(code: number): boolean {
    if (code < ASCII) return this.known[code] === IN;
    if (code >= BASIC_PLANE) return this.find(code) === IN;
    this.beyond ??= new Uint8Array(BASIC_PLANE);
    let found = this.beyond[code];
    if (found === UNKNOWN) {
      found = this.find(code);
      this.beyond[code] = found;
    }
    return found === IN;
  }

  /** Whether some character may be in both: of those beyond ASCII any, where both have some. */
  meets(other: CharacterSet): boolean {
    if (!this.isAscii && !other.isAscii) return true;
    for (let code = 0; code < ASCII; code++) if (this.known[code] === IN && other.known[code] === IN) return true;
    return false;
  }

  private find(code: number): number {
    return this.native.test(String.fromCodePoint(code)) ? IN : OUT;
  }
}

function isAscii(node: AST.CharacterClassElement | SetNode): boolean {
  if (node.type === "Character") return node.value < ASCII;
  if (node.type === "CharacterClassRange") return node.max.value < ASCII;
  if (node.type === "CharacterClass")
    return !node.negate && (node.elements as AST.CharacterClassElement[]).every(isAscii);
  return node.type === "CharacterSet" && (node.kind === "digit" || node.kind === "word") && !node.negate;
}
