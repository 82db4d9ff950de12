import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** Why a test with certificates cannot run here; undefined when it can. In CI that is a failure. */
export function missingOpenssl(): string | undefined {
  try {
    execFileSync("openssl", ["version"], { stdio: "ignore" });
    return undefined;
  } catch {
    if (process.env.CI !== undefined) throw new Error("openssl is missing: apt-get install openssl");
    return "needs openssl: apt-get install openssl";
  }
}

/** An authority of its own that signs certificates for a test. */
export function createAuthority(): { ca: string; issue(name: string, alternatives: string): Certificate } {
  const root = make((folder) => {
    openssl(
      folder,
      "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=authority -keyout key -out cert",
    );
  });
  return {
    ca: root.cert,
    // Without a name the subject is empty.
    issue: (name, alternatives) =>
      make((folder) => {
        writeFileSync(join(folder, "ca"), root.cert);
        writeFileSync(join(folder, "ca-key"), root.key);
        writeFileSync(join(folder, "extensions"), `subjectAltName=${alternatives}`);
        openssl(
          folder,
          `req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /${name && `CN=${name}`} -keyout key -out request`,
        );
        openssl(
          folder,
          "x509 -req -in request -CA ca -CAkey ca-key -CAcreateserial -days 2 -extfile extensions -out cert",
        );
      }),
  };
}

const openssl = (cwd: string, words: string): void => {
  execFileSync("openssl", words.split(" "), { cwd, stdio: "ignore" });
};

function make(write: (folder: string) => void): Certificate {
  const folder = mkdtempSync(join(tmpdir(), "portico-certificates-"));
  try {
    write(folder);
    return { cert: readFileSync(join(folder, "cert"), "utf8"), key: readFileSync(join(folder, "key"), "utf8") };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
