/** Who knows where each record stands, and is told where it stands from now on. */
export interface Places {
  place(entry: number): number;
  setPlace(entry: number, place: number): void;
}

/** Each record begins with the number of its entry and its size. It is in use while its entry stands at its place. */
const ENTRY_AT = 0;
const SIZE_AT = 4;
export const HEAD_BYTES = 6;
/** Places count in these: so four bytes reach over 16 GiB. */
const UNIT_BYTES = 4;

const toUnits = (bytes: number): number => (bytes + UNIT_BYTES - 1) & -UNIT_BYTES;

/** The same bytes twice: a view writes numbers at once, where a Buffer does so byte by byte. */
export interface Memory {
  readonly bytes: Buffer;
  readonly view: DataView;
}

interface Segment {
  /** Undefined while it is given back to the system. */
  memory: Memory | undefined;
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
  private readonly places: Places;
  private readonly segments: Segment[] = [];
  private readonly free: number[] = [];
  /** Those without memory: their numbers are used again first. */
  private readonly returned: number[] = [];
  private head = -1;
  private allocated = 0;
  /** Bytes of all segments that have been written and freed since, or passed over. */
  private holes = 0;

  /** @param segmentBytes a multiple of 4 */
  constructor(segmentBytes: number, places: Places) {
    this.segmentBytes = segmentBytes;
    this.places = places;
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

  /** Its bytes are a hole from now on. They are not touched: most of them have long left the processor's cache. */
  remove(place: number, size: number): void {
    const index = this.indexOf(place);
    const segment = this.segments[index] as Segment;
    const bytes = toUnits(size);
    segment.live -= bytes;
    this.holes += bytes;
    if (segment.live === 0 && index !== this.head) this.release(index);
  }

  /** The segment of a place. Its memory is written again once the record has been removed or moved. */
  memoryAt(place: number): Memory {
    return (this.segments[this.indexOf(place)] as Segment).memory as Memory;
  }

  offsetOf(place: number): number {
    return place * UNIT_BYTES - this.indexOf(place) * this.segmentBytes;
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
    this.empty(victim);
    this.release(victim);
    return true;
  }

  private empty(victim: number): void {
    const { memory, end } = this.segments[victim] as Segment;
    const { bytes, view } = memory as Memory;
    for (let at = 0; at + HEAD_BYTES <= end; ) {
      const entry = view.getUint32(at + ENTRY_AT, true);
      const size = view.getUint16(at + SIZE_AT, true);
      if (size === 0) return;
      if (this.places.place(entry) === this.placeOf(victim, at)) {
        if (!this.isWithinHead(size)) this.openHead(1);
        const place = this.append(entry, size);
        this.memoryAt(place).bytes.set(bytes.subarray(at, at + size), this.offsetOf(place));
        this.places.setPlace(entry, place);
      }
      at += toUnits(size);
    }
  }

  private append(entry: number, size: number): number {
    const segment = this.segments[this.head] as Segment;
    const at = segment.end;
    segment.end += toUnits(size);
    segment.live += toUnits(size);
    const { view } = segment.memory as Memory;
    view.setUint32(at + ENTRY_AT, entry, true);
    view.setUint16(at + SIZE_AT, size, true);
    return this.placeOf(this.head, at);
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
    if (end + HEAD_BYTES <= this.segmentBytes) (memory as Memory).view.setUint16(end + SIZE_AT, 0, true);
    this.holes += this.segmentBytes - end;
    segment.end = this.segmentBytes;
  }

  private allocate(): void {
    const index = this.returned.pop() ?? this.segments.length;
    const bytes = Buffer.allocUnsafeSlow(this.segmentBytes);
    this.segments[index] = { memory: { bytes, view: new DataView(bytes.buffer) }, end: 0, live: 0 };
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

  private indexOf(place: number): number {
    return Math.floor((place * UNIT_BYTES) / this.segmentBytes);
  }

  private placeOf(index: number, at: number): number {
    return (index * this.segmentBytes + at) / UNIT_BYTES;
  }
}
