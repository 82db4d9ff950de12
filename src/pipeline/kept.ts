/**
 * Objects of plugins that outlive a reload: a limit goes on counting where it was. Each belongs to one entry of the
 * configuration, and stays for as long as that entry says the same.
 */
export class KeptObjects {
  private readonly objects = new Map<string, { readonly value: object; generation: number }>();
  private generation = 0;

  /** A snapshot is about to be built: what it asks for from here on is in use. */
  begin(): void {
    this.generation++;
  }

  /** @param key of the entry, its plugin and its options */
  get<T extends object>(key: string, create: () => T): T {
    let kept = this.objects.get(key);
    if (kept === undefined) {
      kept = { value: create(), generation: this.generation };
      this.objects.set(key, kept);
    }
    kept.generation = this.generation;
    return kept.value as T;
  }

  /** The snapshot that was begun last now serves: what it has not asked for is let go. */
  releaseUnused(): void {
    for (const [key, { generation }] of this.objects) {
      if (generation !== this.generation) this.objects.delete(key);
    }
  }
}
