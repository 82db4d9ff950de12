import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { Type } from "../core/type.ts";

/** How to be let in by an etcd cluster. */
export const etcdSecurityOptions = {
  user: Type.Optional(Type.String({ minLength: 1, description: "Where the cluster has authentication turned on." })),
  password: Type.Optional(Type.String({ description: "Of user." })),
  ca: Type.Optional(
    Type.String({ description: "File of the certificates that are trusted, instead of the system's." }),
  ),
  cert: Type.Optional(Type.String({ description: "File of the client certificate that the cluster asks for." })),
  key: Type.Optional(Type.String({ description: "File of that certificate's key." })),
} as const;

export interface EtcdSecurityOptions {
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** The same with its files read. */
export interface EtcdSecurity {
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly ca?: Buffer | undefined;
  readonly cert?: Buffer | undefined;
  readonly key?: Buffer | undefined;
}

/** @param folder start of relative paths @throws RangeError naming a file that cannot be read */
export function readEtcdSecurity(options: EtcdSecurityOptions, folder: string): EtcdSecurity {
  const read = (name: "ca" | "cert" | "key"): Buffer | undefined => {
    const file = options[name];
    if (file === undefined) return undefined;
    try {
      return readFileSync(resolve(folder, file));
    } catch (cause) {
      throw new RangeError(`etcd's ${name} is ${file}; it cannot be read`, { cause });
    }
  };
  return { user: options.user, password: options.password, ca: read("ca"), cert: read("cert"), key: read("key") };
}
