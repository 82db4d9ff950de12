/** Where the last item of a sequence ends that is there as a whole; 0 when none is. */
export function endOfItems(bytes: Buffer, essence: string): number {
  if (essence === "text/event-stream") {
    return Math.max(endOf(bytes, "\n\n"), endOf(bytes, "\r\n\r\n"), endOf(bytes, "\r\r"));
  }
  return essence.endsWith("json-seq") ? endOfRecords(bytes) : endOf(bytes, "\n");
}

function endOf(bytes: Buffer, mark: string): number {
  const at = bytes.lastIndexOf(mark);
  return at < 0 ? 0 : at + mark.length;
}

/** A record may have lines of its own. The next one's separator ends it, or a line end behind a whole JSON text. */
function endOfRecords(bytes: Buffer): number {
  const last = Math.max(0, bytes.lastIndexOf(0x1e));
  if (bytes[bytes.length - 1] !== 0x0a) return last;
  try {
    JSON.parse(bytes.toString("utf8", last + 1));
    return bytes.length;
  } catch {
    return last;
  }
}
