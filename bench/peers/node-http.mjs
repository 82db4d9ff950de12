// node:http answering by itself: the floor of anything on Node.
import { createServer } from "node:http";
import { answer } from "../answer.mjs";

const headers = [
  "Content-Type",
  "application/json",
  "Cache-Control",
  "max-age=3600",
  "Content-Length",
  String(answer.length),
];
createServer((_request, response) => {
  response.writeHead(200, headers);
  response.end(answer);
}).listen(Number(process.argv[2]), "127.0.0.1");
