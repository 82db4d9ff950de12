// The least that a proxy on undici can be: what Portico adds is the difference to this.
import { createServer } from "node:http";
import { Pool } from "undici";

const [, , port, upstream] = process.argv;
const pool = new Pool(`http://127.0.0.1:${upstream}`, { connections: 256, pipelining: 1 });
createServer((request, response) => {
  let status = 0;
  let headers = [];
  const chunks = [];
  pool.dispatch(
    {
      method: request.method,
      path: request.url,
      headers: request.rawHeaders.filter((_, i, all) => !/^connection$/i.test(all[i & ~1])),
      body: null,
    },
    {
      onConnect() {},
      onHeaders(code, raw) {
        status = code;
        headers = raw
          .map((value) => value.toString("latin1"))
          .filter((_, i, all) => !/^(connection|keep-alive)$/i.test(all[i & ~1]));
        return true;
      },
      onData(chunk) {
        chunks.push(chunk);
        return true;
      },
      onComplete() {
        response.writeHead(status, headers);
        response.end(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks));
      },
      onError(error) {
        response.destroy(error);
      },
    },
  );
}).listen(Number(port), "127.0.0.1");
