import { releaseMemory } from "../../core/release-memory.ts";
import type { WholeRequest } from "./whole-request.ts";

/** What has come of a request whose body is not all there. */
export class Rest {
  readonly request: WholeRequest;
  private readonly parts: Buffer[];
  private length: number;

  /** @param bytes from the beginning of the request */
  constructor(request: WholeRequest, bytes: Buffer) {
    this.request = request;
    this.parts = [bytes];
    this.length = bytes.length;
  }

  /** @returns true once the body is all there */
  add(bytes: Buffer): boolean {
    this.parts.push(bytes);
    this.length += bytes.length;
    return this.length >= this.request.end;
  }

  /** All of it, from the beginning of the request. Called once. */
  join(): Buffer {
    const { parts } = this;
    if (parts.length === 1) return parts[0] as Buffer;
    const joined = Buffer.concat(parts, this.length);
    for (const part of parts) releaseMemory(part);
    return joined;
  }
}
