import gateway from "fast-gateway";

const [, , port, upstream] = process.argv;
gateway({
  routes: [{ prefix: "", target: `http://127.0.0.1:${upstream}`, undici: { connections: 256, pipelining: 1 } }],
}).start(Number(port), "127.0.0.1");
