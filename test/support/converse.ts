import { connect } from "node:net";

/** Writes a text, several requests perhaps. @returns all that comes back until the gateway closes the connection */
export const converse = (url: string, text: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(url).port), "127.0.0.1", () => socket.write(text));
    let answers = "";
    socket.setEncoding("latin1").on("data", (chunk: string) => {
      answers += chunk;
    });
    socket.on("error", reject).on("close", () => resolve(answers));
  });
