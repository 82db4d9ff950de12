import replyFrom from "@fastify/reply-from";
import Fastify from "fastify";
import glue from "fastify-openapi-glue";
import { spec } from "../validated-spec.mjs";

const [, , port, upstream] = process.argv;
const app = Fastify();
app.register(replyFrom, { base: `http://127.0.0.1:${upstream}`, undici: { connections: 256, pipelining: 1 } });
app.register(glue, {
  specification: spec,
  operationResolver: () => async (request, reply) => reply.from(request.url, { body: request.body }),
});
await app.listen({ port: Number(port), host: "127.0.0.1" });
