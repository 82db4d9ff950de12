import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { TestContext } from "node:test";

/** What an instance does with requests from now on. */
export interface Behaviour {
  readonly mode?: "answer" | "hang" | "fail" | "reset";
  readonly delayMs?: number;
  /** Answered with while it fails. Default: 500. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A service in a process of its own: answers every request with its name. */
export interface InstanceProcess {
  readonly name: string;
  readonly url: string;
  readonly port: number;
  readonly child: ChildProcess;
  behave(behaviour: Behaviour): Promise<void>;
  /** Requests it has received. */
  count(): Promise<number>;
  kill(signal: NodeJS.Signals): Promise<void>;
}

const PROGRAM = `
const http = require("node:http");
let behaviour = {};
let count = 0;
const server = http.createServer((request, response) => {
  count++;
  request.resume();
  const { mode = "answer", delayMs = 0, status = 500, headers = {} } = behaviour;
  if (mode === "hang") return;
  if (mode === "reset") return request.socket.resetAndDestroy();
  const body = JSON.stringify({ instance: process.env.NAME });
  const send = () => {
    response.writeHead(mode === "fail" ? status : 200, {
      "content-type": "application/json", "content-length": body.length, "x-instance": process.env.NAME, ...headers,
    });
    response.end(body);
  };
  if (delayMs > 0) setTimeout(send, delayMs); else send();
});
process.on("message", (message) => {
  if (message.behaviour) behaviour = message.behaviour;
  process.send({ count });
});
process.on("disconnect", () => process.exit());
server.listen(Number(process.env.PORT), process.env.HOST, () => process.send({ port: server.address().port }));
`;

/** Where an instance listens, when not on a free port of loopback. */
export interface Place {
  readonly port?: number;
  /** Name and address of a network namespace. */
  readonly namespace?: { readonly name: string; readonly address: string };
}

/** Starts one; it ends with the test. */
export async function startInstance(t: TestContext, name: string, place: Place = {}): Promise<InstanceProcess> {
  const { port = 0, namespace } = place;
  const host = namespace?.address ?? "127.0.0.1";
  const [command = "", ...words] = [
    ...(namespace === undefined ? [] : ["ip", "netns", "exec", namespace.name]),
    process.execPath,
    "-e",
    PROGRAM,
  ];
  const child = spawn(command, words, {
    env: { PATH: process.env.PATH, NAME: name, PORT: String(port), HOST: host },
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  t.after(() => child.kill("SIGKILL"));
  const [started] = (await once(child, "message")) as [{ port: number }];
  const ask = async (message: object): Promise<{ count: number }> => {
    child.send(message);
    const [answer] = await once(child, "message");
    return answer as { count: number };
  };
  return {
    name,
    port: started.port,
    url: `http://${host}:${started.port}`,
    child,
    async behave(behaviour) {
      await ask({ behaviour });
    },
    async count() {
      return (await ask({})).count;
    },
    async kill(signal) {
      const ended = once(child, "exit");
      child.kill(signal);
      await ended;
    },
  };
}

export const startInstances = (t: TestContext, ...names: string[]): Promise<InstanceProcess[]> =>
  Promise.all(names.map((name) => startInstance(t, name)));
