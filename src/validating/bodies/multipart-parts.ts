import { Malformed } from "../parameters/decode.ts";
import type { Violations } from "../schema/check.ts";
import type { Shape } from "../schema/shape.ts";
import { toPointer } from "../violation.ts";
import { MultipartReader, type Part, type PartHead, type PartListener } from "./multipart.ts";
import { isFile, type PartPlans, shapeOfPart } from "./multipart-value.ts";

/** So much of a file that streams is kept: enough to tell an empty one and most patterns. */
export const KEPT_FILE_BYTES = 4_096;
/** All that is not a file is kept, up to here: a thousand fields, or a large piece of JSON. */
const MAX_KEPT_BYTES = 8 * 1024 * 1024;

/**
 * Keeps what the schema needs to know of each part: fields as they are, of files their beginning and their length. A file
 * is measured while it comes, so that one that is too long is refused long before its end.
 */
export class MultipartParts implements PartListener {
  readonly parts: Part[] = [];
  private readonly reader: MultipartReader;
  private readonly shape: Shape;
  private readonly plans: PartPlans;
  private readonly violations: Violations;
  private readonly keptFileBytes: number;
  private head: PartHead | undefined = undefined;
  private pieces: Buffer[] = [];
  private length = 0;
  private kept = 0;
  private keptInAll = 0;
  private isFile = false;
  private mostBytes = Number.POSITIVE_INFINITY;
  private tooMuch: Malformed | undefined = undefined;

  /** @param keptFileBytes of each file; Infinity where the whole body is there anyway */
  constructor(
    boundary: string | undefined,
    shape: Shape,
    plans: PartPlans,
    violations: Violations,
    keptFileBytes: number,
  ) {
    this.keptFileBytes = keptFileBytes;
    this.reader = new MultipartReader(boundary, this);
    this.shape = shape;
    this.plans = plans;
    this.violations = violations;
  }

  /** Why the body cannot be read, or not further. */
  get failure(): Malformed | undefined {
    return this.reader.failure ?? this.tooMuch;
  }

  write(chunk: Buffer): void {
    this.reader.write(chunk);
  }

  end(): void {
    this.reader.end();
  }

  onHead(head: PartHead): void {
    const shape = shapeOfPart(head, this.shape, this.plans);
    const most = shape?.annotation("maxLength");
    this.head = head;
    this.isFile = isFile(head, shape, this.plans);
    this.mostBytes = this.isFile && typeof most === "number" ? most : Number.POSITIVE_INFINITY;
    this.pieces = [];
    this.length = 0;
    this.kept = 0;
  }

  onBytes(bytes: Buffer): void {
    const { mostBytes } = this;
    const before = this.length;
    this.length += bytes.length;
    if (before <= mostBytes && this.length > mostBytes) {
      const message = `must have at most ${mostBytes} bytes`;
      this.violations.add("body", toPointer(this.head?.name ?? ""), "maxLength", message);
    }
    const room = (this.isFile ? Math.min(this.keptFileBytes, mostBytes) : Number.POSITIVE_INFINITY) - this.kept;
    if (room <= 0 || this.tooMuch !== undefined) return;
    const piece = bytes.length > room ? bytes.subarray(0, room) : bytes;
    this.kept += piece.length;
    if (this.keptFileBytes !== Number.POSITIVE_INFINITY) this.keptInAll += piece.length;
    if (this.keptInAll > MAX_KEPT_BYTES)
      this.tooMuch = new Malformed("parse", `has more than ${MAX_KEPT_BYTES} bytes beside its files`);
    // A piece of a file would keep the whole chunk that it came with.
    else this.pieces.push(this.isFile && piece.length < bytes.length ? Buffer.from(piece) : piece);
  }

  onEnd(): void {
    const { head, pieces, length } = this;
    if (head === undefined) return;
    const bytes = pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
    this.parts.push({ ...head, bytes, length });
  }
}
