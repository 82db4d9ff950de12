const [QUOTE, BACKSLASH, COMMA, OPEN_LIST, CLOSE_LIST, OPEN, CLOSE] = [...'"\\,[]{}'].map((c) => c.charCodeAt(0));
const MAX_ITEM_CHARACTERS = 4 * 1024 * 1024;

/**
 * Reads a JSON list of objects as its text arrives, item by item: to parse megabytes in one go would hold up the loop.
 * What stands between the items is looked at only as far as it takes to find them.
 */
export class JsonListParser {
  private readonly onItem: (value: unknown) => void;
  private rest = "";
  private depth = 0;
  private isText = false;
  private isEscaped = false;
  private isOver = false;

  constructor(onItem: (value: unknown) => void) {
    this.onItem = onItem;
  }

  /** @throws SyntaxError for what is no list, and for an item that is no JSON */
  push(text: string): void {
    let from = 0;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (this.isText) {
        if (this.isEscaped) this.isEscaped = false;
        else if (code === BACKSLASH) this.isEscaped = true;
        else if (code === QUOTE) this.isText = false;
        continue;
      }
      if (code <= 0x20) continue;
      if (this.isOver || (this.depth === 0 && code !== OPEN_LIST)) throw new SyntaxError("not a list");
      if (this.depth === 1) {
        if (code === OPEN) from = i;
        else if (code === CLOSE_LIST) this.isOver = true;
        else if (code !== COMMA) throw new SyntaxError("not a list of objects");
      }
      if (code === QUOTE) this.isText = true;
      else if (code === OPEN || code === OPEN_LIST) this.depth++;
      else if (code === CLOSE || code === CLOSE_LIST) this.depth--;
      if (code !== CLOSE || this.depth !== 1) continue;
      this.onItem(JSON.parse(this.rest + text.slice(from, i + 1)));
      this.rest = "";
    }
    if (this.depth > 1) this.rest += text.slice(from);
    if (this.rest.length > MAX_ITEM_CHARACTERS) throw new RangeError("an item does not end");
  }

  /** @throws SyntaxError when the list has not come to its end */
  end(): void {
    if (!this.isOver) throw new SyntaxError("the list breaks off");
  }
}
