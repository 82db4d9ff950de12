import type { Socket } from "node:net";
import type { Asking } from "../asking.ts";
import type { UploadSink } from "../upload.ts";
import { writeTrailers } from "./request-head.ts";

/** A body whose length stands in the head. */
export class LengthSink implements UploadSink {
  readonly out: Socket;
  readonly canRelease = true;

  constructor(socket: Socket) {
    this.out = socket;
  }

  write(chunk: Buffer): void {
    this.out.write(chunk);
  }

  end(): void {}
}

/** A body in chunks, with what trailers have come by its end. */
export class ChunkSink implements UploadSink {
  readonly out: Socket;
  readonly canRelease = true;
  private readonly asking: Asking;

  constructor(socket: Socket, asking: Asking) {
    this.out = socket;
    this.asking = asking;
  }

  write(chunk: Buffer): void {
    const { out } = this;
    out.cork();
    out.write(`${chunk.length.toString(16)}\r\n`, "latin1");
    out.write(chunk);
    out.write("\r\n", "latin1");
    out.uncork();
  }

  end(): void {
    this.out.write(`0\r\n${writeTrailers(this.asking)}\r\n`, "latin1");
  }
}
