import { connect } from "node:net";
import { portico } from "../portico.mjs";
import { freePort, residentMiB, start, untilAnswers } from "../process.mjs";

/** MiB for each reader: its socket's and its streams' buffers, less than the answer that is held back. */
const BAR_MIB = 0.5;

/** Memory with readers of a 16 MB answer that do not read: it must grow by buffers, not by answers. */
export const scenario = {
  name: "stream-memory",
  title: "Memory with readers of a 16 MB answer that do not read",
  async run({ say, upstreamPort }) {
    say("| readers | MiB | more for each |");
    say("| ---: | ---: | ---: |");
    const port = await freePort();
    const child = start(portico("plain", port, upstreamPort), 0);
    const readers = [];
    try {
      await untilAnswers(port, "/huge", { child });
      const before = residentMiB(child.pid);
      say(`| 0 | ${before.toFixed(0)} | |`);
      let each = 0;
      for (const count of [16, 64, 256]) {
        while (readers.length < count) readers.push(await openReader(port));
        await settled(child.pid);
        each = (residentMiB(child.pid) - before) / count;
        say(`| ${count} | ${residentMiB(child.pid).toFixed(0)} | ${each.toFixed(2)} |`);
      }
      say(
        `\n${each <= BAR_MIB ? "Reached" : "NOT reached"}: ${each.toFixed(2)} MiB a reader, where ${BAR_MIB} is the bar.`,
      );
    } finally {
      for (const reader of readers) reader.destroy();
      await child.stop();
    }
  },
};

const openReader = (port) =>
  new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.pause();
      socket.write("GET /huge HTTP/1.1\r\nHost: bench\r\n\r\n", () => resolve(socket));
    });
    socket.on("error", reject);
  });

/** Once nothing has been added for half a second. */
async function settled(pid) {
  for (let before = -1, i = 0; i < 20 && residentMiB(pid) !== before; i++) {
    before = residentMiB(pid);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
