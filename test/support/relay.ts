import { connect, createServer, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { freePort } from "./free-port.ts";

export interface Relay {
  readonly url: string;
  /** Ends what goes through it, and lets nobody through any more. */
  cut(): void;
  mend(): void;
}

/** A network that can be cut, in front of a server. */
export async function startRelay(t: TestContext, to: string): Promise<Relay> {
  const sockets = new Set<Socket>();
  const { hostname, port: target } = new URL(to);
  let isCut = false;
  const server = createServer((incoming) => {
    if (isCut) return void incoming.destroy();
    const outgoing = connect(Number(target), hostname);
    for (const [one, other] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      sockets.add(one);
      one
        .on("error", () => {})
        .on("close", () => {
          sockets.delete(one);
          other.destroy();
        });
      one.pipe(other);
    }
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const end = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  t.after(() => {
    server.close();
    end();
  });
  return {
    url: `http://127.0.0.1:${port}`,
    cut() {
      isCut = true;
      end();
    },
    mend() {
      isCut = false;
    },
  };
}
