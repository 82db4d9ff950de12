import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { getServers } from "node:dns";
import { connect } from "node:net";
import packet, { type DecodedPacket } from "dns-packet";

const TIMEOUT_MS = 2_000;

export interface DnsServer {
  readonly host: string;
  readonly port: number;
}

/** `10.0.0.2`, `10.0.0.2:5353`, `[::1]:53`; without any, those of the operating system. */
export function toServers(texts: readonly string[] | undefined): DnsServer[] {
  return (texts ?? getServers()).map((text) => {
    const match = /^\[([^\]]+)\](?::(\d+))?$/.exec(text) ?? /^([^:]+):(\d+)$/.exec(text);
    return match === null ? { host: text, port: 53 } : { host: match[1] as string, port: Number(match[2] ?? 53) };
  });
}

/**
 * Asks name servers in turn; by itself, because Node's resolver does not tell the TTL of an SRV record.
 * @throws when none gives an answer that says something: the name's records, or that it has none
 */
export async function queryDns(
  servers: readonly DnsServer[],
  name: string,
  type: "A" | "AAAA" | "SRV",
): Promise<DecodedPacket> {
  let failure: unknown = new Error("no name server is known");
  for (const server of servers) {
    try {
      const id = randomInt(65_536);
      const question = packet.encode({
        type: "query",
        id,
        flags: packet.RECURSION_DESIRED,
        questions: [{ type, name }],
      });
      let answer = await askOverUdp(server, question, id);
      if (answer.flag_tc) answer = await askOverTcp(server, question);
      const { rcode } = answer as DecodedPacket & { rcode: string };
      if (rcode === "NOERROR" || rcode === "NXDOMAIN") return answer;
      failure = new Error(`the name server answered ${rcode}`);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

function askOverUdp(server: DnsServer, question: Buffer, id: number): Promise<DecodedPacket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(server.host.includes(":") ? "udp6" : "udp4");
    const end = (error: Error | undefined, answer?: DecodedPacket): void => {
      clearTimeout(timer);
      socket.close();
      if (answer === undefined) reject(error);
      else resolve(answer);
    };
    const timer = setTimeout(() => end(new Error("the name server did not answer")), TIMEOUT_MS);
    socket.on("error", (error) => end(error));
    socket.on("message", (bytes) => {
      const answer = findPacket(bytes);
      // A connected socket takes datagrams of the server alone; what does not carry our number is forged or late.
      if (answer?.id === id) end(undefined, answer);
    });
    socket.connect(server.port, server.host, () => socket.send(question));
  });
}

function askOverTcp(server: DnsServer, question: Buffer): Promise<DecodedPacket> {
  return new Promise((resolve, reject) => {
    const socket = connect(server.port, server.host);
    let bytes = Buffer.alloc(0);
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error("the name server did not answer")));
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("the name server broke off")));
    socket.on("data", (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      if (bytes.length < 2 || bytes.length < 2 + bytes.readUInt16BE(0)) return;
      const answer = findPacket(bytes.subarray(2));
      if (answer === undefined) reject(new Error("the name server's answer cannot be read"));
      else resolve(answer);
      socket.destroy();
    });
    const length = Buffer.alloc(2);
    length.writeUInt16BE(question.length);
    socket.write(Buffer.concat([length, question]));
  });
}

function findPacket(bytes: Buffer): DecodedPacket | undefined {
  try {
    return packet.decode(bytes);
  } catch {
    return undefined;
  }
}
