/** Told where a record stands from now on. */
export type OnMove = (entry: number, place: number) => void;

/** Each record begins with the number of its entry and its size; as a number of its own, it is in nobody's use. */
const ENTRY_AT = 0;
const SIZE_AT = 4;
export const HEAD_BYTES = 8;
const DEAD = 0xffff_ffff;
/** Places count in these: so four bytes reach over 16 GiB. */
const UNIT_BYTES = 4;

const toUnits = (bytes: number): number => (bytes + UNIT_BYTES - 1) & -UNIT_BYTES;

interface Segment {
  /** Undefined while it is given back to the system. */
  memory: Buffer | undefined;
  /** Bytes from its start that have been written. */
  end: number;
  live: number;
}

/**
 * Records side by side in large pieces of memory. What is freed leaves holes; a segment with enough of them is emptied
 * into the one being written, and used again. One is always kept free for that.
 */
export class Segments {
  private readonly segmentBytes: number;
  private readonly onMove: OnMove;
  private readonly segments: Segment[] = [];
  private readonly free: number[] = [];
  /** Those without memory: their numbers are used again first. */
  private readonly returned: number[] = [];
  private head = -1;
  private allocated = 0;
  /** Bytes of all segments that have been written and freed since, or passed over. */
  private holes = 0;

  /** @param segmentBytes a multiple of 4 */
  constructor(segmentBytes: number, onMove: OnMove) {
    this.segmentBytes = segmentBytes;
    this.onMove = onMove;
  }

  /** Bytes of memory it holds, used or not. */
  get bytes(): number {
    return this.allocated * this.segmentBytes;
  }

  /** What one record can be at most: much less than a segment, so that little is lost at the end of one. */
  get recordBytes(): number {
    return this.segmentBytes >> 4;
  }

  /** Whether a record can be added with no more than so much memory in all. @param size 0: whether what is held fits */
  hasRoom(size: number, limitBytes: number): boolean {
    this.shrink(limitBytes);
    if (this.bytes > limitBytes) return false;
    if (size === 0 || this.isWithinHead(size) || this.free.length > 1) return true;
    return this.bytes + this.segmentBytes * (this.allocated === 0 ? 2 : 1) <= limitBytes;
  }

  /** Takes room that `hasRoom` has promised. @returns its place */
  add(entry: number, size: number): number {
    if (!this.isWithinHead(size)) this.openHead(2);
    return this.append(entry, size);
  }

  remove(place: number): void {
    const segment = this.segmentAt(place);
    const memory = segment.memory as Buffer;
    const at = this.offsetOf(place);
    const bytes = toUnits(memory.readUInt32LE(at + SIZE_AT));
    segment.live -= bytes;
    this.holes += bytes;
    memory.writeUInt32LE(DEAD, at + ENTRY_AT);
    const index = this.indexOf(place);
    if (segment.live === 0 && index !== this.head) this.release(index);
  }

  /** The segment of a place. Its memory is written again once the record has been removed or moved. */
  memoryAt(place: number): Buffer {
    return this.segmentAt(place).memory as Buffer;
  }

  offsetOf(place: number): number {
    return (place * UNIT_BYTES) % this.segmentBytes;
  }

  sizeAt(place: number): number {
    return this.memoryAt(place).readUInt32LE(this.offsetOf(place) + SIZE_AT);
  }

  /** Empties the segment with the most holes into the others. @returns false while holes are less than an eighth of all */
  compact(): boolean {
    if (this.holes === 0 || this.holes < this.bytes / 8) return false;
    let victim = 0;
    let most = 0;
    for (let i = 0; i < this.segments.length; i++) {
      const { end, live } = this.segments[i] as Segment;
      if (end - live <= most) continue;
      most = end - live;
      victim = i;
    }
    const segment = this.segments[victim] as Segment;
    if (victim === this.head) {
      if (segment.live === 0) {
        this.wipe(segment);
        return true;
      }
      this.openHead(1);
    }
    this.empty(segment);
    this.release(victim);
    return true;
  }

  private empty({ memory, end }: Segment): void {
    for (let at = 0; at + HEAD_BYTES <= end; ) {
      const entry = (memory as Buffer).readUInt32LE(at + ENTRY_AT);
      const size = (memory as Buffer).readUInt32LE(at + SIZE_AT);
      if (size === 0) return;
      if (entry !== DEAD) {
        if (!this.isWithinHead(size)) this.openHead(1);
        const place = this.append(entry, size);
        (memory as Buffer).copy(this.memoryAt(place), this.offsetOf(place), at, at + size);
        this.onMove(entry, place);
      }
      at += toUnits(size);
    }
  }

  private append(entry: number, size: number): number {
    const segment = this.segments[this.head] as Segment;
    const at = segment.end;
    segment.end += toUnits(size);
    segment.live += toUnits(size);
    (segment.memory as Buffer).writeUInt32LE(entry, at + ENTRY_AT);
    (segment.memory as Buffer).writeUInt32LE(size, at + SIZE_AT);
    return (this.head * this.segmentBytes + at) / UNIT_BYTES;
  }

  private isWithinHead(size: number): boolean {
    const segment = this.segments[this.head];
    return segment !== undefined && segment.end + toUnits(size) <= this.segmentBytes;
  }

  /** @param kept how many must be free before one is taken: a spare one is for compaction alone */
  private openHead(kept: number): void {
    const old = this.segments[this.head];
    while (this.free.length < kept) this.allocate();
    const before = this.head;
    this.head = this.free.pop() as number;
    if (old === undefined) return;
    if (old.live === 0) this.release(before);
    else this.seal(old);
  }

  /** What is left at its end is a hole like any other. */
  private seal(segment: Segment): void {
    const { memory, end } = segment;
    if (end + HEAD_BYTES <= this.segmentBytes) (memory as Buffer).writeUInt32LE(0, end + SIZE_AT);
    this.holes += this.segmentBytes - end;
    segment.end = this.segmentBytes;
  }

  private allocate(): void {
    const index = this.returned.pop() ?? this.segments.length;
    this.segments[index] = { memory: Buffer.allocUnsafeSlow(this.segmentBytes), end: 0, live: 0 };
    this.allocated++;
    this.free.push(index);
  }

  private release(index: number): void {
    this.wipe(this.segments[index] as Segment);
    this.free.push(index);
  }

  private wipe(segment: Segment): void {
    this.holes -= segment.end - segment.live;
    segment.end = 0;
    segment.live = 0;
  }

  /** Gives back what is free and too much. The spare one stays until nothing else is there. */
  private shrink(limitBytes: number): void {
    if (this.allocated === 1 + this.free.length && this.head >= 0 && (this.segments[this.head] as Segment).live === 0) {
      this.release(this.head);
      this.head = -1;
    }
    const kept = this.head < 0 ? 0 : 1;
    while (this.bytes > limitBytes && this.free.length > kept) {
      const index = this.free.pop() as number;
      (this.segments[index] as Segment).memory = undefined;
      this.returned.push(index);
      this.allocated--;
    }
  }

  private readonly indexOf = (place: number): number => Math.floor((place * UNIT_BYTES) / this.segmentBytes);

  private segmentAt(place: number): Segment {
    return this.segments[this.indexOf(place)] as Segment;
  }
}
