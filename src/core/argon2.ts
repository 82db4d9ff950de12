import { createRequire } from "node:module";
import { Worker } from "node:worker_threads";

/** What it takes to derive a hash again. */
export interface Argon2Parameters {
  readonly kind: "argon2id" | "argon2i" | "argon2d";
  readonly passes: number;
  readonly memoryKiB: number;
  readonly parallelism: number;
  readonly salt: Buffer;
}

interface Task extends Argon2Parameters {
  readonly id: number;
  readonly password: string;
  readonly length: number;
}

interface Answer {
  readonly id: number;
  readonly hash?: Uint8Array;
  readonly error?: string;
}

/**
 * What the thread runs. As text, because a thread has none of the loaders of its process: a file of TypeScript could not
 * be its beginning.
 */
const THREAD = `
const { parentPort, workerData } = require("node:worker_threads");
const library = require(workerData);
parentPort.on("message", ({ id, kind, password, salt, passes, memoryKiB, parallelism, length }) => {
  library[kind]({
    password, salt, parallelism, iterations: passes, memorySize: memoryKiB, hashLength: length, outputType: "binary",
  }).then(
    (hash) => parentPort.postMessage({ id, hash }),
    (error) => parentPort.postMessage({ id, error: String(error) }),
  );
});
`;
const require = createRequire(import.meta.url);

/**
 * One thread that derives hashes, one after the other: some 50 ms and 20 MiB each, which no request may wait for. Started
 * with the first of them, and no reason for a process to stay.
 */
export class Argon2 {
  private worker: Worker | undefined = undefined;
  private lastId = 0;
  private readonly waiting = new Map<number, { resolve(hash: Buffer): void; reject(error: Error): void }>();

  derive(password: string, parameters: Argon2Parameters, length: number): Promise<Buffer> {
    const worker = this.start();
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      worker.ref();
      const { kind, passes, memoryKiB, parallelism, salt } = parameters;
      const task: Task = { id, kind, passes, memoryKiB, parallelism, salt, password, length };
      worker.postMessage(task);
    });
  }

  private start(): Worker {
    if (this.worker !== undefined) return this.worker;
    const worker = new Worker(THREAD, { eval: true, workerData: require.resolve("hash-wasm") });
    worker.on("message", ({ id, hash, error }: Answer) => {
      const caller = this.waiting.get(id);
      this.waiting.delete(id);
      if (this.waiting.size === 0) worker.unref();
      if (hash !== undefined) caller?.resolve(Buffer.from(hash));
      else caller?.reject(new Error(error));
    });
    // A thread that breaks takes its tasks with it; the next one starts another.
    const onEnd = (error: Error): void => {
      if (this.worker === worker) this.worker = undefined;
      for (const { reject } of this.waiting.values()) reject(error);
      this.waiting.clear();
    };
    worker.on("error", onEnd);
    worker.on("exit", () => onEnd(new Error("the thread that derives hashes has ended")));
    worker.unref();
    this.worker = worker;
    return worker;
  }
}
