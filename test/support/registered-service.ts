import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type RegisterOptions, register } from "../../src/register.ts";

// A program of its own: a service of one instance. `startServiceProcess` runs it.
const options = JSON.parse(process.env.REGISTER ?? "{}") as RegisterOptions;
const server = createServer((_request, response) => {
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ id: options.id }));
});
server.listen(0, "127.0.0.1", async () => {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await register({ ...options, url });
  process.stdout.write(`${url}\n`);
});
