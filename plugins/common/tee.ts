import { PassThrough, pipeline, type Readable, Transform } from "node:stream";

/** How far a copy may lag behind. */
const MAX_LAG_BYTES = 1024 * 1024;

/**
 * A stream for two readers. The first sets the pace; the second is let go, with an error, when it lags too far behind or
 * when the first ends early.
 */
export function tee(body: Readable): [Readable, Readable] {
  const copy = new PassThrough();
  copy.on("error", () => {});
  const own = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (!copy.destroyed && copy.writableLength + copy.readableLength > MAX_LAG_BYTES) {
        copy.destroy(new Error("the copy lags too far behind"));
      }
      if (!copy.destroyed) copy.write(chunk);
      done(null, chunk);
    },
    flush(done) {
      copy.end();
      done();
    },
  });
  pipeline(body, own, (error) => {
    if (error) copy.destroy(error);
  });
  return [own, copy];
}
