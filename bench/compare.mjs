// What one thing adds to a request: two ways of configuration or more, in turn, each a process of its own over sockets.
import { load } from "./load.mjs";
import { cpuSeconds, cpuTimes, freePort, start, untilAnswers } from "./process.mjs";

/**
 * CPU µs per request of each, by name, a list with one value a round.
 * @param ways name to (port, upstream) => words of its program
 * @param request what is sent, as for `load`
 */
export async function compare(ways, request, { upstreamPort, seconds, rounds, warmUpSeconds = 4 }) {
  const micros = Object.fromEntries(Object.keys(ways).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, words] of Object.entries(ways)) {
      const port = await freePort();
      const child = start(words(port, upstreamPort), 0);
      try {
        await untilAnswers(port, request.path, { headers: request.headers, child });
        await load({ port, ...request, seconds: warmUpSeconds });
        const before = cpuSeconds(child.pid);
        const { requests, failed } = await load({ port, ...request, seconds });
        if (failed > 0) throw new Error(`${name}: ${failed} requests failed`);
        micros[name].push(((cpuSeconds(child.pid) - before) * 1e6) / requests);
      } finally {
        await child.stop();
      }
    }
  }
  return micros;
}

/**
 * The same in short turns, each way one process all the while: what differs by a microsecond must meet the same machine,
 * which is not the same for a minute.
 * @param warmUpRequests that each has answered before it is measured
 * @param waitRounds in which one client alone sends one request after another
 * @returns by name, lists with one value a round: CPU µs per request, in all and in its own code, and the µs that a client
 *   which is alone waits for an answer
 */
export async function alternate(ways, request, { upstreamPort, rounds, warmUpRequests, waitRounds = 0 }) {
  const running = [];
  try {
    for (const [name, words] of Object.entries(ways)) {
      const port = await freePort();
      const child = start(words(port, upstreamPort), 0);
      running.push({ name, port, child, all: [], own: [], wait: [] });
      await untilAnswers(port, request.path, { headers: request.headers, child });
      for (let sent = 0; sent < warmUpRequests; ) sent += (await load({ port, ...request, seconds: 4 })).requests;
    }
    const inTurn = (round) => (round % 2 === 0 ? running : running.toReversed());
    const sendFor1Second = async ({ name, port }, connections) => {
      const sent = await load({ port, ...request, seconds: 1, ...connections });
      if (sent.failed > 0) throw new Error(`${name}: ${sent.failed} requests failed`);
      return sent;
    };
    for (let round = 0; round < rounds; round++) {
      for (const one of inTurn(round)) {
        const { child, all, own } = one;
        const before = cpuTimes(child.pid);
        const { requests } = await sendFor1Second(one);
        const { user, system } = cpuTimes(child.pid);
        own.push(((user - before.user) * 1e6) / requests);
        all.push(own.at(-1) + ((system - before.system) * 1e6) / requests);
      }
    }
    for (let round = 0; round < waitRounds; round++) {
      for (const one of inTurn(round)) one.wait.push(1e6 / (await sendFor1Second(one, { connections: 1 })).perSecond);
    }
  } finally {
    for (const { child } of running) await child.stop();
  }
  return Object.fromEntries(running.map(({ name, all, own, wait }) => [name, { all, own, wait }]));
}

export const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

/** The median of what `more` costs beyond `less`, round by round. */
export const added = (more, less) => median(more.map((value, i) => value - less[i]));

export const word = (isReached) => (isReached ? "Reached" : "NOT reached");
