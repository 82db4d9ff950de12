import { connect } from "node:net";

const MARK = Buffer.from("\r\n\r\n");

/** Clients on connections of their own that ask for the same thing at once, at as little cost of their own as can be. */
export class Crowd {
  #sockets;

  constructor(sockets) {
    this.#sockets = sockets;
  }

  static async connect(port, count) {
    const sockets = Array.from({ length: count }, () => connect(port, "127.0.0.1").setNoDelay());
    await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once("connect", resolve))));
    return new Crowd(sockets);
  }

  /**
   * Milliseconds that the one who waits longest waits, each from its own request to its whole answer: a thousand of them
   * take a while to ask, and that is not the gateway's.
   * @param count how many of them ask; by default all
   */
  async ask(path, count = this.#sockets.length) {
    const request = Buffer.from(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
    return Math.max(...(await Promise.all(this.#sockets.slice(0, count).map((socket) => answered(socket, request)))));
  }

  close() {
    for (const socket of this.#sockets) socket.destroy();
  }
}

function answered(socket, request) {
  return new Promise((resolve, reject) => {
    const from = performance.now();
    let received = Buffer.alloc(0);
    const onData = (chunk) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      const end = received.indexOf(MARK);
      if (end < 0) return;
      const head = received.toString("latin1", 0, end);
      const length = Number(/content-length: *(\d+)/i.exec(head)?.[1]);
      if (received.length < end + MARK.length + length) return;
      socket.off("data", onData);
      if (head.startsWith("HTTP/1.1 200 ")) resolve(performance.now() - from);
      else reject(new Error(head));
    };
    socket.on("data", onData);
    socket.write(request);
  });
}
