import type { ClientHttp2Stream } from "node:http2";

/**
 * Tells an answer that has ended from one that was cut off. `node:http2` ends the readable side of a stream that its peer
 * has reset with NO_ERROR just as it does at END_STREAM, and says nowhere which of the two it was. One thing differs: the
 * end comes to a stream that is open, and the reset has closed it by then.
 * @param onEnd called at END_STREAM, when what came before it may still have to be read
 */
export function watchEnd(stream: ClientHttp2Stream, onEnd: () => void): void {
  const { push } = stream;
  stream.push = function pushAndWatch(chunk: unknown, encoding?: BufferEncoding): boolean {
    if (chunk === null && !this.closed) onEnd();
    return push.call(this, chunk, encoding);
  };
}
