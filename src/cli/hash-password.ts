import { hashPassword } from "../core/password.ts";

/** `portico hash-password`: reads a password from standard input and prints what `basic-auth` wants in its place. */
export async function hashPasswordCommand(): Promise<number> {
  if (process.stdin.isTTY) process.stderr.write("Type the password, then Enter and Ctrl-D:\n");
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  const password = Buffer.concat(chunks)
    .toString("utf8")
    .replace(/\r?\n$/, "");
  if (password === "") {
    process.stderr.write("there is no password on standard input\n");
    return 2;
  }
  process.stdout.write(`${await hashPassword(password)}\n`);
  return 0;
}
