import { randomUUID } from "node:crypto";
import type { BodyWriter } from "./store.ts";

interface Body {
  readonly chunks: Buffer[];
  bytes: number;
  readers: number;
}

/** Bodies in parts, and all the bytes they take: arriving, stored, and being sent though their record has gone. */
export class MemoryBodies {
  private readonly bodies = new Map<string, Body>();
  /** Those whose record has gone before their last reader, the oldest first. */
  private readonly leaving = new Set<string>();
  bytes = 0;

  /** @param makeRoom for so many bytes; false: there never is */
  create(makeRoom: (bytes: number) => boolean): BodyWriter {
    const id = randomUUID();
    const body: Body = { chunks: [], bytes: 0, readers: 0 };
    const discard = (): void => {
      this.bytes -= body.bytes;
      body.bytes = 0;
      body.chunks.length = 0;
    };
    return {
      write: (chunk) => {
        if (!makeRoom(chunk.length)) {
          discard();
          return false;
        }
        this.bytes += chunk.length;
        body.bytes += chunk.length;
        body.chunks.push(own(chunk));
        return true;
      },
      finish: () => {
        this.bodies.set(id, body);
        return { id, count: body.chunks.length };
      },
      discard,
    };
  }

  /** It has a record again, or still. @returns false when it is gone */
  keep(id: string): boolean {
    this.leaving.delete(id);
    return this.bodies.has(id);
  }

  read(id: string, index: number): Buffer | undefined {
    return this.bodies.get(id)?.chunks[index];
  }

  hold(id: string): void {
    const body = this.bodies.get(id);
    if (body !== undefined) body.readers++;
  }

  release(id: string): void {
    const body = this.bodies.get(id);
    if (body === undefined) return;
    body.readers--;
    if (body.readers === 0 && this.leaving.has(id)) this.forget(id);
  }

  /** Its record has gone: it goes with its last reader. */
  drop(id: string): void {
    if ((this.bodies.get(id)?.readers ?? 0) > 0) this.leaving.add(id);
    else this.forget(id);
  }

  /** Gives up on one that is only being sent. @returns false when there is none */
  dropLeaving(): boolean {
    const [id] = this.leaving;
    if (id === undefined) return false;
    this.forget(id);
    return true;
  }

  private forget(id: string): void {
    this.bytes -= this.bodies.get(id)?.bytes ?? 0;
    this.bodies.delete(id);
    this.leaving.delete(id);
  }
}

/** A part of a larger buffer keeps all of that alive: what is kept for long is copied out. */
export function own(buffer: Buffer): Buffer {
  if (buffer.buffer.byteLength <= buffer.length + 1024) return buffer;
  const copy = Buffer.allocUnsafeSlow(buffer.length);
  buffer.copy(copy);
  return copy;
}
