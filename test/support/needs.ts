import { spawnSync } from "node:child_process";

/**
 * For a test that needs a program of Debian's: a reason to skip it that says how to get the program, or false.
 * Where `CI` is set nothing is skipped, so that a missing program fails there.
 */
export function needs(program: string, debianPackage = program): string | false {
  const isThere =
    spawnSync("sh", ["-c", `command -v ${program}`], { env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` } })
      .status === 0;
  if (isThere || process.env.CI) return false;
  return `${program} is not on this machine: apt-get install ${debianPackage}`;
}
