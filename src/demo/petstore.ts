import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { parseArgs } from "node:util";
import { open } from "lmdb";
import { register } from "../register.ts";

/**
 * One instance of the demo's service: registers itself, answers, and knows nothing of the gateway.
 * Its instances share their pets in one file, as services share a database.
 */
interface Pet {
  id: number;
  name: string;
  tag?: string;
}

const { values } = parseArgs({
  options: { registry: { type: "string" }, data: { type: "string" }, port: { type: "string", default: "0" } },
});
const pets = open<Pet, number>({ path: values.data ?? "data/petstore" });
const seed = async (): Promise<void> => {
  await pets.transaction(() => {
    if (pets.getCount() > 0) return;
    for (const [i, name] of ["Rex", "Tom", "Nemo", "Ada"].entries()) {
      void pets.put(i + 1, { id: i + 1, name, tag: ["dog", "cat", "fish", "cat"][i] as string });
    }
  });
};

async function readJson(request: IncomingMessage): Promise<Omit<Pet, "id">> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString()) as Omit<Pet, "id">;
}

function answer(response: ServerResponse, status: number, value?: unknown, headers: Record<string, string> = {}): void {
  const body = value === undefined ? undefined : Buffer.from(JSON.stringify(value));
  response.writeHead(status, {
    ...(body && { "Content-Type": "application/json", "Content-Length": body.length }),
    "X-Instance": String(process.pid),
    ...headers,
  });
  response.end(body);
}

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", "http://petstore");
  if (url.pathname === "/pets") return request.method === "POST" ? create(request, response) : list(url, response);
  const id = Number(/^\/pets\/(\d+)$/.exec(url.pathname)?.[1]);
  const pet = pets.get(id);
  if (pet === undefined) return answer(response, 404, { title: "No such pet", status: 404 });
  if (request.method === "GET" || request.method === "HEAD") return answer(response, 200, pet);
  if (request.method === "DELETE") {
    await pets.remove(id);
    return answer(response, 204);
  }
  const replaced = { ...(await readJson(request)), id };
  await pets.put(id, replaced);
  answer(response, 200, replaced);
}

function list(url: URL, response: ServerResponse): void {
  const tags = url.searchParams.getAll("tag");
  const all = [...pets.getRange()].map(({ value }) => value);
  const found = tags.length === 0 ? all : all.filter(({ tag }) => tag !== undefined && tags.includes(tag));
  answer(response, 200, found.slice(0, Number(url.searchParams.get("limit") ?? 20)));
}

async function create(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const given = await readJson(request);
  const pet = await pets.transaction(() => {
    const [last = 0] = pets.getKeys({ reverse: true, limit: 1 });
    const created = { ...given, id: last + 1 };
    void pets.put(created.id, created);
    return created;
  });
  answer(response, 201, pet, { Location: `/petstore/pets/${pet.id}` });
}

await seed();
const server = createServer((request, response) => {
  handle(request, response).catch(() => answer(response, 500, { title: "The petstore failed", status: 500 }));
});
server.listen(Number(values.port), "127.0.0.1", () => void announce());

async function announce(): Promise<void> {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const registration = await register({
    registry: values.registry ?? "http://127.0.0.1:8082",
    service: "petstore",
    url,
    ttlSeconds: 5,
  });
  process.stdout.write(`petstore ${process.pid} ${url}\n`);
  const stop = (): void => {
    void registration.close().finally(() => process.exit(0));
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
}
