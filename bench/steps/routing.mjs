import { Router } from "../../dist/src/routing/router.js";

const operation = (path) => ({
  method: "GET",
  path,
  publicPath: path,
  parameters: [],
  servers: [],
  location: { file: "bench" },
});

export function run({ time }) {
  for (const count of [10, 10_000]) {
    const router = new Router();
    for (let i = 0; i < count; i++) router.add([], operation(`/service${i}/things/{id}/parts/{part}`), i);
    time(`match one of ${count.toLocaleString("en")} operations`, 200_000, (i) =>
      router.match("localhost", "GET", `/service${i % 10}/things/42/parts/7`),
    );
  }
}
