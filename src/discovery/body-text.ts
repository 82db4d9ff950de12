import { StringDecoder } from "node:string_decoder";
import { Turn } from "../core/slices.ts";

/**
 * A long body as text, piece by piece, with a turn for others between pieces that took long. undici's own `setEncoding`
 * leaves pieces as bytes, and a character that two of them share would be lost.
 */
export async function* readText(body: AsyncIterable<unknown>): AsyncGenerator<string, void> {
  const decoder = new StringDecoder("utf8");
  const turn = new Turn();
  for await (const bytes of body) {
    yield decoder.write(bytes as Buffer);
    if (turn.isOver) await turn.pass();
  }
}
