import fc from "fast-check";

const odd = fc.constantFrom(
  ...'\0|\r|\n|\r\n|\r\n | |\t|\x0b|\x0c|\x7f|\x80|:|;|,|_|+|-|#|\\|"|@|%00|%0d%0a'.split("|"),
);
/** Mostly what is usual: with everything odd at once, all that is told is the first refusal. */
const mostly = (usual: string, ...others: string[]): fc.Arbitrary<string> =>
  fc.oneof({ weight: 6, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(...others) });
const fields = mostly(
  "",
  "Content-Length: 0\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Transfer-Encoding: identity\r\n",
  "Content_Length: 0\r\n",
  "Transfer_Encoding: chunked\r\n",
  "Connection: Content-Length\r\n",
  "Connection: Transfer-Encoding, Host\r\n",
  "Host: b\r\n",
  "X: y\r\n z\r\n",
  "Expect: 100-continue\r\n",
  "Upgrade: h2c\r\nConnection: Upgrade\r\n",
);
/** What a request of `toRequest` is made of. */
export const mutation = fc.record({
  method: mostly("POST", "GET", "PUT", "DELETE", "OPTIONS", "HEAD", "post", "TRACE"),
  version: mostly("HTTP/1.1", "HTTP/1.0", "HTTP/1.2", "HTTP/2.0"),
  host: mostly("a", "a:80", "", "a, b", "u@a", "a/b", "[::1]", "a b"),
  isChunked: fc.boolean(),
  extension: mostly("", ";a=b", ';a="b', " ", ";\n"),
  trailer: mostly("", "X: y\r\n", "Content-Length: 0\r\n", "Host: b\r\n", "x\r\n"),
  before: fields,
  after: fields,
  odd,
  hasOdd: fc.boolean(),
  at: fc.double({ min: 0, max: 1, noNaN: true }),
});

type Mutation = typeof mutation extends fc.Arbitrary<infer Made> ? Made : never;

/** A request for `/name` with `hidden` as its body, and one odd thing or more about it. */
export function toRequest(made: Mutation, name: string, hidden: string): string {
  const framing = made.isChunked ? "Transfer-Encoding: chunked" : `Content-Length: ${hidden.length}`;
  const size = hidden.length.toString(16);
  const body = made.isChunked ? `${size}${made.extension}\r\n${hidden}\r\n0\r\n${made.trailer}\r\n` : hidden;
  const head = `${made.method} /${name} ${made.version}\r\nHost: ${made.host}\r\n`;
  const whole = `${head}${made.before}${framing}\r\n${made.after}\r\n${body}`;
  const at = Math.floor(made.at * whole.length);
  return made.hasOdd ? `${whole.slice(0, at)}${made.odd}${whole.slice(at)}` : whole;
}
