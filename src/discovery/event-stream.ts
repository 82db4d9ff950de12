/** One server-sent event (WHATWG HTML §9.2). */
export interface ServerEvent {
  readonly type: string;
  readonly data: string;
}

const MAX_EVENT_CHARACTERS = 4 * 1024 * 1024;

/**
 * Reads server-sent events from text that arrives in pieces.
 * @throws RangeError for an event that does not end
 */
export class EventStreamParser {
  private rest = "";
  private type = "";
  private data: string[] = [];
  private readonly onEvent: (event: ServerEvent) => void;

  constructor(onEvent: (event: ServerEvent) => void) {
    this.onEvent = onEvent;
  }

  push(text: string): void {
    const lines = (this.rest + text).split("\n");
    this.rest = lines.pop() as string;
    if (this.rest.length > MAX_EVENT_CHARACTERS) throw new RangeError("an event does not end");
    for (const line of lines) this.takeLine(line.endsWith("\r") ? line.slice(0, -1) : line);
  }

  private takeLine(line: string): void {
    if (line === "") {
      if (this.data.length > 0) this.onEvent({ type: this.type || "message", data: this.data.join("\n") });
      this.type = "";
      this.data = [];
      return;
    }
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + (line[colon + 1] === " " ? 2 : 1));
    if (field === "event") this.type = value;
    else if (field === "data") this.data.push(value);
  }
}
