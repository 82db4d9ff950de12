/** Keys for a short time, bounded in number: the oldest make room. */
export class RecentKeys {
  private readonly limit: number;
  private readonly lifetimeMs: number;
  private readonly until = new Map<string, number>();
  /** Kept between calls: an iterator made anew would first step over all that was deleted before. */
  private oldest = this.until.keys();

  constructor(limit: number, lifetimeMs: number) {
    this.limit = limit;
    this.lifetimeMs = lifetimeMs;
  }

  add(key: string): void {
    this.until.delete(key);
    if (this.until.size >= this.limit) this.forgetOldest();
    this.until.set(key, performance.now() + this.lifetimeMs);
  }

  private forgetOldest(): void {
    let next = this.oldest.next();
    if (next.done === true) {
      this.oldest = this.until.keys();
      next = this.oldest.next();
    }
    if (next.done !== true) this.until.delete(next.value);
  }

  has(key: string): boolean {
    if (this.until.size === 0) return false;
    const until = this.until.get(key);
    if (until === undefined) return false;
    if (until > performance.now()) return true;
    this.until.delete(key);
    return false;
  }

  delete(key: string): void {
    this.until.delete(key);
  }
}
