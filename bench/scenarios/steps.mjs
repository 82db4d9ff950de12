import { readdirSync } from "node:fs";

const ROUNDS = 7;

/** What single steps of the request path cost: every file of steps/, `run({ time, row, compare })`, in this process. */
export const scenario = {
  name: "steps",
  title: "Single steps, the best of seven rounds",
  async run({ say }) {
    say("| what | ns |");
    say("| --- | ---: |");
    const row = (name, value) => say(`| ${name} | ${value.toFixed(0)} |`);
    const time = (name, calls, step) => row(name, best(calls, step));
    const verdicts = [];
    /** The same by us, who come first, and by a peer: in alternation, so that a busy machine slows both. */
    const compare = (name, calls, [[us, ours], [peer, theirs]]) => {
      let [our, their] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
      for (let round = 0; round < ROUNDS; round++) {
        our = Math.min(our, once(calls, ours));
        their = Math.min(their, once(calls, theirs));
      }
      row(`${name}: ${us}`, our);
      row(`${name}: ${peer}`, their);
      verdicts.push(
        `${our <= their ? "Reached" : "NOT reached"}: ${name}, ${(our / their).toFixed(2)} of what ${peer} takes.`,
      );
    };
    const folder = new URL("../steps/", import.meta.url);
    for (const file of readdirSync(folder).sort())
      await (await import(new URL(file, folder).href)).run({ time, row, compare });
    for (const verdict of verdicts) say(`\n${verdict}`);
  },
};

function best(calls, step) {
  let nanos = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) nanos = Math.min(nanos, once(calls, step));
  return nanos;
}

function once(calls, step) {
  const from = process.hrtime.bigint();
  for (let i = 0; i < calls; i++) step(i);
  return Number(process.hrtime.bigint() - from) / calls;
}
