import { findMediaType, type ParsedMediaType } from "../../core/media-type.ts";
import type { MediaType, Operation } from "../../core/operation.ts";
import { inTurns, type Steps } from "../../core/slices.ts";
import { acceptReadings } from "../parameters/accept.ts";
import { Malformed, type Reading } from "../parameters/decode.ts";
import { type ByteCheck, findByteCheck } from "../schema/byte-check.ts";
import { SchemaCheck, schemaCheck, type Violations } from "../schema/check.ts";
import type { Direction } from "../schema/evaluation.ts";
import { noteExact } from "../schema/exact.ts";
import { largestJson, longestText } from "../schema/largest.ts";
import { renewPatternBudget } from "../schema/pattern.ts";
import { Shape, toScalar } from "../schema/shape.ts";
import { toPointer } from "../violation.ts";
import { readText } from "./charset.ts";
import { readForm } from "./form.ts";
import { parseJson, readJson } from "./json.ts";
import { type Kind, kindOf } from "./kind.ts";
import { findSequenceReader } from "./lines.ts";
import { KEPT_FILE_BYTES, MultipartParts } from "./multipart-parts.ts";
import { type PartPlans, partPlans, readParts } from "./multipart-value.ts";
import { type OrderedPlans, orderedPlans, readInOrder } from "./ordered-parts.ts";
import { explodedMembers } from "./styled.ts";
import { parseXml } from "./xml.ts";
import { readRoot } from "./xml-value.ts";

/** White space is free in JSON: a body may be so many times as long as its longest compact form, and so long in any case. */
const WHITE_SPACE_FACTOR = 16;
const LEAST_JSON_BYTES = 65_536;
/** What is checked in about a millisecond; more would be felt by everybody else. */
const LONG_BYTES = 65_536;

/** One declared media type of a body: which types it covers, and how its bytes are read and checked. */
export class BodyPlan {
  readonly range: ParsedMediaType;
  readonly media: MediaType;
  private readonly check: SchemaCheck | undefined;
  private readonly itemCheck: SchemaCheck | undefined;
  private readonly operation: Operation;
  private knownShape: Shape | undefined = undefined;
  private byteCheck: ByteCheck | undefined = undefined;
  private readonly direction: Direction;
  private knownJsonBytes: number | undefined = undefined;
  private knownCharacters: number | undefined = undefined;
  private knownParts: PartPlans | undefined = undefined;
  private knownOrdered: OrderedPlans | undefined = undefined;
  private knownItemShape: Shape | undefined = undefined;
  private knownExploded: ReadonlyMap<string, string> | undefined = undefined;

  private constructor(operation: Operation, media: MediaType, range: ParsedMediaType, direction: Direction) {
    this.operation = operation;
    this.direction = direction;
    this.media = media;
    this.range = range;
    this.check = media.schema === undefined ? undefined : schemaCheck(operation.spec, media.schema, direction);
    this.itemCheck =
      media.itemSchema === undefined
        ? undefined
        : // What `data` of an event holds is all that its schema can say of it.
          range.essence === "text/event-stream"
          ? new SchemaCheck(operation.spec, media.itemSchema, direction, true)
          : schemaCheck(operation.spec, media.itemSchema, direction);
  }

  /** The plans of a body; a media type that cannot be read covers nothing. */
  static all(operation: Operation, content: readonly MediaType[], direction: Direction): BodyPlan[] {
    const plans: BodyPlan[] = [];
    for (const media of content) {
      const range = findMediaType(media.type);
      if (range !== undefined) plans.push(new BodyPlan(operation, media, range, direction));
    }
    return plans;
  }

  prepare(): void {
    this.check?.prepare();
    this.itemCheck?.prepare();
  }

  /** True when all bytes must be there before anything can be said. */
  isWhole(type: ParsedMediaType): boolean {
    if (this.check === undefined && this.itemCheck === undefined) return false;
    return kindOf(type) !== "binary";
  }

  /**
   * Most bytes that a body may have by its schema: of a binary one `maxLength`, of text four for each character, of JSON
   * what its lengths and counts allow with every character escaped and much white space. Infinity where nothing bounds it.
   */
  maxBytes(type: ParsedMediaType): number {
    if (this.check === undefined || this.itemCheck !== undefined) return Number.POSITIVE_INFINITY;
    const kind = kindOf(type);
    if (kind === "json") {
      this.knownJsonBytes ??= Math.max(LEAST_JSON_BYTES, largestJson(this.check.schema) * WHITE_SPACE_FACTOR);
      return this.knownJsonBytes;
    }
    if (kind !== "binary" && kind !== "text") return Number.POSITIVE_INFINITY;
    this.knownCharacters ??= longestText(this.check.schema);
    // Four bytes a character, and a byte order mark.
    return kind === "binary" ? this.knownCharacters : this.knownCharacters * 4 + 4;
  }

  /** Adds what is wrong with a body. @param type as the message itself says */
  checkBytes(bytes: Buffer, type: ParsedMediaType, violations: Violations): void {
    const kind = kindOf(type);
    renewPatternBudget();
    if (kind === "sequence") {
      const read = findSequenceReader(type.essence);
      if (read !== undefined) this.checkSequence(read(bytes), violations);
    } else if (kind === "multipart" && type.subtype !== "form-data") this.checkMixed(bytes, type, violations);
    else if (this.check !== undefined) this.checkWhole(bytes, type, kind, this.check, violations);
  }

  /**
   * Likewise, for who can wait: a long body of JSON is checked in turns with everything else that the loop has to do.
   * @returns undefined when there is nothing to wait for
   */
  checkBeside(bytes: Buffer, type: ParsedMediaType, violations: Violations): Promise<void> | undefined {
    const { check } = this;
    if (bytes.length > LONG_BYTES && check !== undefined && kindOf(type) === "json")
      return inTurns(this.checkLong(bytes, check, violations));
    this.checkBytes(bytes, type, violations);
    return undefined;
  }

  private *checkLong(bytes: Buffer, check: SchemaCheck, violations: Violations): Steps {
    renewPatternBudget();
    if (this.scan(bytes, check)) return;
    yield;
    const value = yield* readJson(bytes);
    yield;
    // What other messages have cost meanwhile is not this one's fault.
    renewPatternBudget();
    if (value instanceof Malformed) this.accept(value, check, violations);
    else if (!check.isValid(value)) {
      yield;
      renewPatternBudget();
      check.explain(value, "body", "", violations);
    }
  }

  /** Whether a look at the bytes alone says that they are valid. */
  private scan(bytes: Buffer, check: SchemaCheck): boolean {
    this.byteCheck ??= findByteCheck(check.foldedSchema, this.direction) ?? isUnknown;
    return this.byteCheck(bytes);
  }

  private checkWhole(
    bytes: Buffer,
    type: ParsedMediaType,
    kind: Kind,
    check: SchemaCheck,
    violations: Violations,
  ): void {
    if (kind === "json") {
      if (!this.scan(bytes, check)) this.accept(parseJson(bytes), check, violations);
    } else if (kind === "multipart") this.checkMultipart(bytes, type, violations);
    else if (kind === "xml") this.checkXml(bytes, type, check, violations);
    else if (kind === "form" || kind === "text") this.checkText(bytes, type, kind === "form", check, violations);
  }

  private checkText(
    bytes: Buffer,
    type: ParsedMediaType,
    isForm: boolean,
    check: SchemaCheck,
    violations: Violations,
  ): void {
    const text = readText(bytes, isForm ? undefined : type.parameters.get("charset"));
    if (text instanceof Malformed) {
      this.accept(text, check, violations);
      return;
    }
    if (isForm) this.knownExploded ??= explodedMembers(this.shape, this.media.encoding);
    const exploded = this.knownExploded;
    const read = (reading: Reading): unknown =>
      exploded !== undefined
        ? readForm(text, this.shape, this.media.encoding, exploded, reading)
        : toScalar(text, this.shape.types, reading.asText);
    acceptReadings(read, check, "body", "", violations);
  }

  /** True where no bytes at all are a value. */
  takesNothing(type: ParsedMediaType): boolean {
    return kindOf(type) === "form" && this.check !== undefined;
  }

  /** True of a body that can be checked while it streams, whatever the size of its files. */
  canStream(type: ParsedMediaType): boolean {
    return type.essence === "multipart/form-data" && this.check !== undefined;
  }

  /** Reads parts as they come. @see checkParts */
  openParts(type: ParsedMediaType, violations: Violations, keptFileBytes = KEPT_FILE_BYTES): MultipartParts {
    this.knownParts ??= partPlans(this.operation, this.media.encoding, this.shape);
    return new MultipartParts(type.parameters.get("boundary"), this.shape, this.knownParts, violations, keptFileBytes);
  }

  /** Once all of them are there: adds what is wrong with them. */
  checkParts(opened: MultipartParts, violations: Violations): void {
    const { check, knownParts } = this;
    if (check === undefined || knownParts === undefined) return;
    const { failure } = opened;
    renewPatternBudget();
    if (failure !== undefined) this.accept(failure, check, violations);
    else this.acceptMade(readParts(opened.parts, this.shape, knownParts, violations), check, violations);
  }

  private checkMultipart(bytes: Buffer, type: ParsedMediaType, violations: Violations): void {
    this.checkParts(this.readAllParts(bytes, type, violations), violations);
  }

  private readAllParts(bytes: Buffer, type: ParsedMediaType, violations: Violations): MultipartParts {
    const opened = this.openParts(type, violations, Number.POSITIVE_INFINITY);
    opened.write(bytes);
    opened.end();
    return opened;
  }

  /** Parts that have a place instead of a name; 3.0 described them by an object, which takes names. */
  private checkMixed(bytes: Buffer, type: ParsedMediaType, violations: Violations): void {
    const opened = this.readAllParts(bytes, type, violations);
    const { failure, parts } = opened;
    const { shape } = this;
    if (failure !== undefined) violations.add("body", "", failure.keyword, failure.message);
    else if (this.itemCheck !== undefined || shape.isArray) {
      this.knownOrdered ??= orderedPlans(this.operation, this.media);
      this.checkSequence(readInOrder(parts, this.itemShape, this.knownOrdered, violations), violations);
    } else if (shape.isObject && parts.every(({ name }) => name !== undefined)) this.checkParts(opened, violations);
  }

  private checkXml(bytes: Buffer, type: ParsedMediaType, check: SchemaCheck, violations: Violations): void {
    const root = parseXml(bytes, type.parameters.get("charset"));
    if (root instanceof Malformed) this.accept(root, check, violations);
    else {
      const report = (pointer: string, message: string): void => violations.add("body", pointer, "xml", message);
      this.acceptMade(readRoot(root, this.shape, report), check, violations);
    }
  }

  private checkSequence(items: Iterable<unknown>, violations: Violations): void {
    const { itemCheck, check } = this;
    const all: unknown[] = [];
    let index = 0;
    for (const item of items) {
      if (item instanceof Malformed) violations.add("body", toPointer(index), item.keyword, item.message);
      else itemCheck?.check(item, "body", toPointer(index), violations);
      if (check !== undefined) all.push(item);
      index++;
      if (violations.isCapped) return;
    }
    if (check !== undefined && violations.isEmpty) this.acceptMade(all, check, violations);
  }

  /** Of a value made of pieces: parts, elements. */
  private acceptMade(value: unknown, check: SchemaCheck, violations: Violations): void {
    noteExact(value);
    this.accept(value, check, violations);
  }

  private accept(value: unknown, check: SchemaCheck, violations: Violations): void {
    if (value instanceof Malformed) violations.add("body", value.pointer ?? "", value.keyword, value.message);
    else check.check(value, "body", "", violations);
  }

  private get shape(): Shape {
    this.knownShape ??= Shape.of(this.check?.schema ?? true);
    return this.knownShape;
  }

  private get itemShape(): Shape {
    this.knownItemShape ??= this.itemCheck === undefined ? this.shape.items : Shape.of(this.itemCheck.schema);
    return this.knownItemShape;
  }
}

/** For schemas that no scan of the bytes can decide. */
const isUnknown: ByteCheck = () => false;
