import type { Operation, Parameter } from "../../core/operation.ts";
import { type MediaReader, mediaReader } from "../bodies/text-media.ts";
import { type SchemaCheck, schemaCheck, type Violations } from "../schema/check.ts";
import type { Direction } from "../schema/evaluation.ts";
import { Shape, toScalar } from "../schema/shape.ts";
import { toPointer, type Violation } from "../violation.ts";
import { acceptReadings } from "./accept.ts";
import { BAD_ENCODING, decodeForm, decodePercent, type Reading } from "./decode.ts";
import { readDeepObject } from "./nested.ts";
import { type Notation, type Pair, readObject, readValues } from "./styles.ts";

/** One parameter of one operation: how it is written, and what it must be. */
export class ParameterPlan {
  readonly parameter: Parameter;
  readonly location: Violation["location"];
  readonly pointer: string;
  /** Header names compare in lower case. */
  readonly lowerName: string;
  private readonly notation: Notation;
  private readonly check: SchemaCheck | undefined;
  private readonly media: MediaReader | undefined;
  private knownShape: Shape | undefined = undefined;
  private knownPlain: boolean | undefined = undefined;

  constructor(operation: Operation, parameter: Parameter, direction: Direction) {
    const { name, style, explode } = parameter;
    const content = parameter.content?.[0];
    const schema = content === undefined ? parameter.schema : content.schema;
    this.parameter = parameter;
    this.location = parameter.in;
    this.pointer = toPointer(name);
    this.lowerName = name.toLowerCase();
    this.notation = { name, style, explode, decode: decoderOf(parameter) };
    this.check = schema === undefined ? undefined : schemaCheck(operation.spec, schema, direction);
    this.media = content && mediaReader(content.type);
  }

  /** What the schema lets it be. Read at first use: a large document must not be bundled before its first answer. */
  get shape(): Shape {
    this.knownShape ??= Shape.of(this.check?.schema ?? true);
    return this.knownShape;
  }

  prepare(): void {
    this.check?.prepare();
  }

  /** Most values are given once, need no decoding and are what they read as: those take no detour. */
  checkValue(raw: string, violations: Violations): void {
    const { check } = this;
    if (check === undefined) return;
    this.knownPlain ??= this.isPlain();
    const isAsItReads = this.knownPlain && raw !== "" && !raw.includes("%") && !raw.includes("+");
    if (isAsItReads && check.isValid(toScalar(raw, this.shape.types, false))) return;
    this.checkValues([raw], violations);
  }

  /** True of one value, written without anything before it. */
  private isPlain(): boolean {
    const { style } = this.notation;
    return this.media === undefined && !this.shape.isCompound && (style === "form" || style === "simple");
  }

  /** @param raws as sent, one for each time the parameter was given */
  checkValues(raws: readonly string[], violations: Violations): void {
    if (this.check === undefined) return;
    if (this.media !== undefined) this.checkContent(raws, this.media, violations);
    else if (raws.length > 1 || raws[0] !== "" || !this.parameter.allowEmptyValue) {
      this.accept((reading) => readValues(raws, this.shape, this.notation, reading), violations);
    }
  }

  /** An object whose members are written apart: `filter[a]=1`, or `a=1` for an exploded form. */
  checkMembers(pairs: readonly Pair[], violations: Violations): void {
    const { style } = this.notation;
    this.accept(
      (reading) =>
        style === "deepObject"
          ? readDeepObject(pairs, this.shape, this.notation, reading)
          : readObject(pairs, this.shape, this.notation, reading),
      violations,
    );
  }

  reportMissing(violations: Violations): void {
    violations.add(this.location, this.pointer, "required", "is required");
  }

  private checkContent(raws: readonly string[], media: MediaReader, violations: Violations): void {
    if (raws.length > 1) {
      violations.add(this.location, this.pointer, "duplicate", "must be given once");
      return;
    }
    this.accept((reading) => {
      const text = this.notation.decode(raws[0] as string, reading);
      return text === undefined ? BAD_ENCODING : media(text, this.shape);
    }, violations);
  }

  private accept(read: (reading: Reading) => unknown, violations: Violations): void {
    acceptReadings(read, this.check as SchemaCheck, this.location, this.pointer, violations);
  }
}

/** A query is a form, a path is percent-encoded; headers and the cookie style are written as they are. */
function decoderOf(parameter: Parameter): Notation["decode"] {
  if (parameter.in === "query" || parameter.in === "querystring") {
    return (text, reading) => decodeForm(text, reading.plusIsPlus || parameter.allowReserved);
  }
  if (parameter.in === "path") return (text) => decodePercent(text);
  if (parameter.in === "cookie" && parameter.style === "form") return (text) => decodePercent(text) ?? text;
  return (text) => text;
}
