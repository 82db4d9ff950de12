/** Bodies that no record stands for: still being written, or being sent though their record has gone. By id. */
export class LooseBodies {
  private readonly sizes = new Map<string, number>();
  /** Of all of them. */
  bytes = 0;

  add(id: string, bytes: number): void {
    this.sizes.set(id, (this.sizes.get(id) ?? 0) + bytes);
    this.bytes += bytes;
  }

  delete(id: string): void {
    this.bytes -= this.sizes.get(id) ?? 0;
    this.sizes.delete(id);
  }
}
