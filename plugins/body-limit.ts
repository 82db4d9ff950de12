import { Transform, type TransformCallback } from "node:stream";
import { defineHooks, definePlugin, GatewayError, isStream, parseBytes, Type } from "../src/plugin.ts";

export default definePlugin({
  name: "body-limit",
  phase: "limit-address",
  options: Type.Object(
    {
      maxBytes: Type.Union([Type.Integer({ minimum: 0 }), Type.String()], {
        description: "The longest request body that is taken, as 64KiB.",
      }),
    },
    { additionalProperties: false },
  ),
  setup({ options }) {
    const maxBytes = parseBytes(options.maxBytes);
    return defineHooks({
      onRequest({ request }) {
        if (request.body === null) return;
        if (Number(request.headers.get("content-length") ?? 0) > maxBytes) throw tooLarge(maxBytes);
        // Node holds a body to the length it claims; one that claims none has to be counted.
        if (isStream(request.body) && !request.headers.has("content-length")) {
          const counted = new CountedBody(maxBytes);
          request.body.once("error", (error) => counted.destroy(error));
          request.body = request.body.pipe(counted);
        }
      },
    });
  },
});

const tooLarge = (maxBytes: number): GatewayError =>
  new GatewayError("BODY_TOO_LARGE", `at most ${maxBytes} bytes are taken`);

class CountedBody extends Transform {
  private left: number;
  private readonly maxBytes: number;

  constructor(maxBytes: number) {
    super();
    this.left = maxBytes;
    this.maxBytes = maxBytes;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback): void {
    this.left -= chunk.length;
    if (this.left < 0) callback(tooLarge(this.maxBytes));
    else callback(null, chunk);
  }
}
