import { WHOLE_BODY_BYTES } from "../../core/body.ts";
import { readFieldLines } from "../../core/field-lines.ts";
import { readTarget, type Target } from "../authority.ts";
import { type HeadRules, type RequestHead, readHead } from "../read-request.ts";

export interface WholeRules extends HeadRules {
  readonly maxHeadBytes: number;
  readonly maxBodyBytes: number;
}

/** A request of HTTP/1.1 of which nothing is unusual. */
export interface WholeRequest {
  readonly method: string;
  readonly rawTarget: string;
  readonly target: Target;
  readonly head: RequestHead;
  /** Name, value, name, value … as they came. */
  readonly rawHeaders: string[];
  readonly keepsAlive: boolean;
  /** Where its body begins. */
  readonly start: number;
  /** Where it ends, and the next one begins: beyond what has come, where the rest of a short body is still to come. */
  readonly end: number;
}

/** What `node:http` takes for a path too: the other forms of a target are rare enough to be left to it. */
const REQUEST_LINE = /(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) (\/[\x21-\x7e]*) HTTP\/1\.1\r\n/y;
/** What is looked at first for the end of the head: the rest is most likely body. */
const FIRST_LOOK_BYTES = 4_096;

/**
 * Reads the first request of what has come.
 * @returns undefined for what is without all of its head, out of the ordinary, or to be refused: that is another reader's to judge
 */
export function readWholeRequest(bytes: Buffer, rules: WholeRules): WholeRequest | undefined {
  let text = bytes.toString("latin1", 0, Math.min(bytes.length, FIRST_LOOK_BYTES));
  let end = text.indexOf("\r\n\r\n");
  if (end < 0 && bytes.length > FIRST_LOOK_BYTES) {
    text = bytes.toString("latin1", 0, Math.min(bytes.length, rules.maxHeadBytes));
    end = text.indexOf("\r\n\r\n");
  }
  if (end < 0 || end + 4 > rules.maxHeadBytes) return undefined;
  REQUEST_LINE.lastIndex = 0;
  const line = REQUEST_LINE.exec(text);
  if (line === null) return undefined;
  const flat: string[] = [];
  const names: string[] = [];
  if (readFieldLines(text, REQUEST_LINE.lastIndex, end + 2, { flat, names }) !== undefined) return undefined;
  const keepsAlive = readPersistence(flat, names);
  if (keepsAlive === undefined) return undefined;
  const method = line[1] as string;
  const rawTarget = line[2] as string;
  try {
    const head = readHead(flat, "1.1", rules, names);
    const { bodyBytes } = head;
    if (bodyBytes < 0 || bodyBytes > rules.maxBodyBytes || head.expectsContinue || head.upgrade !== undefined) {
      return undefined;
    }
    const start = end + 4;
    if (start + bodyBytes > bytes.length && bodyBytes > WHOLE_BODY_BYTES) return undefined;
    const target = readTarget(rawTarget, method, head.authority);
    if (target === undefined) return undefined;
    return { method, rawTarget, target, head, rawHeaders: flat, keepsAlive, start, end: start + bodyBytes };
  } catch {
    return undefined;
  }
}

/** @returns undefined when `Connection` says more than whether the connection stays */
function readPersistence(flat: readonly string[], names: readonly string[]): boolean | undefined {
  const i = names.indexOf("connection");
  if (i < 0) return true;
  if (names.includes("connection", i + 1)) return undefined;
  const option = (flat[(i << 1) + 1] as string).toLowerCase();
  return option === "keep-alive" ? true : option === "close" ? false : undefined;
}
