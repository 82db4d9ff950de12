/** A map that forgets its oldest entry when it is full: memory stays bounded whatever clients send. */
export class Remembered<Value> {
  private readonly values = new Map<string, Value>();
  private readonly capacity: number;
  /** Kept between calls: an iterator made anew would first step over all that was deleted before. */
  private oldest = this.values.keys();

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  get size(): number {
    return this.values.size;
  }

  get(key: string): Value | undefined {
    return this.values.get(key);
  }

  set(key: string, value: Value): void {
    if (this.capacity === 0) return;
    if (this.values.size >= this.capacity && !this.values.has(key)) this.forgetOldest();
    this.values.set(key, value);
  }

  private forgetOldest(): void {
    let next = this.oldest.next();
    if (next.done === true) {
      this.oldest = this.values.keys();
      next = this.oldest.next();
    }
    if (next.done !== true) this.values.delete(next.value);
  }

  delete(key: string): void {
    this.values.delete(key);
  }

  clear(): void {
    this.values.clear();
  }
}
