import { readdirSync } from "node:fs";

/** What single steps of the request path cost: every file of steps/, `run({ time, row })`, in this process. */
export const scenario = {
  name: "steps",
  title: "Single steps, the best of seven rounds",
  async run({ say }) {
    say("| what | ns |");
    say("| --- | ---: |");
    const row = (name, value) => say(`| ${name} | ${value.toFixed(0)} |`);
    const time = (name, calls, step) => row(name, best(calls, step));
    const folder = new URL("../steps/", import.meta.url);
    for (const file of readdirSync(folder).sort()) await (await import(new URL(file, folder).href)).run({ time, row });
  },
};

function best(calls, step) {
  let nanos = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 7; round++) {
    const from = process.hrtime.bigint();
    for (let i = 0; i < calls; i++) step(i);
    nanos = Math.min(nanos, Number(process.hrtime.bigint() - from) / calls);
  }
  return nanos;
}
