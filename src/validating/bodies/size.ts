import { Transform } from "node:stream";
import { isStream } from "../../core/body.ts";
import { GatewayError } from "../../core/errors.ts";
import type { Body } from "../../core/exchange.ts";
import type { HeaderList } from "../../core/headers.ts";

/**
 * A body that flows on as it comes and breaks when it grows too long; a length that is claimed is refused at once.
 * @throws GatewayError BODY_TOO_LARGE
 */
export function limitBody(body: Body, headers: HeaderList, limitBytes: number): Body {
  const claimed = Number(headers.get("content-length") ?? 0);
  const length = isStream(body) ? claimed : (body?.length ?? 0);
  if (length > limitBytes) throw tooLarge(limitBytes);
  // A claimed length is kept by the parser: only a body without one can grow.
  if (!isStream(body) || headers.has("content-length")) return body;
  let seen = 0;
  const limited = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      seen += chunk.length;
      if (seen > limitBytes) done(tooLarge(limitBytes));
      else done(null, chunk);
    },
  });
  body.once("error", (error) => limited.destroy(error));
  limited.once("close", () => body.unpipe(limited));
  return body.pipe(limited);
}

export const tooLarge = (limitBytes: number): GatewayError =>
  new GatewayError("BODY_TOO_LARGE", `at most ${limitBytes} bytes are taken`);
