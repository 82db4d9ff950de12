// Opens WebSockets; as many as are busy send a message, wait for its echo, and send the next. `node echo.mjs port open busy`
// Says one line of JSON once all are open, and one every time it gets a line: the echoes until then.
import { connect } from "node:net";

const [port, count, busy] = process.argv.slice(2).map(Number);
const handshake =
  "GET /socket HTTP/1.1\r\nHost: bench\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
const payload = Buffer.alloc(64, "x");
const message = Buffer.concat([Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
const ECHO_BYTES = 2 + payload.length;
let echoes = 0;
let failed = 0;

const open = (isBusy) =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(handshake));
    socket.setNoDelay(true);
    let isOpen = false;
    let pending = 0;
    socket.on("data", (chunk) => {
      if (!isOpen) {
        isOpen = true;
        resolve();
        if (isBusy) socket.write(message);
        return;
      }
      pending += chunk.length;
      if (pending < ECHO_BYTES) return;
      pending -= ECHO_BYTES;
      echoes++;
      socket.write(message);
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      failed++;
      resolve();
    });
  });

const MOST_OPENING = 100;
for (let opened = 0; opened < count; opened += MOST_OPENING) {
  const batch = Math.min(MOST_OPENING, count - opened);
  await Promise.all(Array.from({ length: batch }, (_, i) => open(opened + i < busy)));
}
console.log(JSON.stringify({ open: count - failed }));
process.stdin.on("data", () => console.log(JSON.stringify({ echoes, failed })));
