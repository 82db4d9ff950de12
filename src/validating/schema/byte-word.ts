/** A text of ASCII that is looked for, four bytes at a time. */
export class Word {
  readonly length: number;
  readonly words: Int32Array;

  /** @param text at least four characters, without a NUL */
  constructor(text: string) {
    const bytes = Buffer.from(text, "latin1");
    this.length = bytes.length;
    this.words = new Int32Array((bytes.length + 3) >> 2);
    // The last four overlap those before.
    for (let i = 0; i < this.words.length; i++) this.words[i] = bytes.readInt32LE(Math.min(i << 2, bytes.length - 4));
  }
}
