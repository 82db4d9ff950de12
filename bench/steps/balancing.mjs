import { Service } from "../../dist/src/balancing/service.js";
import { systemClock } from "../../dist/src/core/clock.js";

const exchange = {
  request: { headers: { get: () => undefined } },
  client: { address: "127.0.0.1" },
  pathParameters: {},
};

export function run({ time }) {
  for (const policy of ["round-robin", "least-busy", "peak-ewma"]) {
    const service = new Service("bench", { policy }, systemClock);
    service.update(
      Array.from({ length: 1000 }, (_, i) => ({
        id: String(i),
        url: `http://127.0.0.1:${1000 + i}`,
        weight: 1,
        status: "up",
      })),
    );
    time(`pick of 1,000 instances, ${policy}`, 500_000, () => service.pick(exchange, []));
  }
}
