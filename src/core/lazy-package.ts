import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/**
 * A package that few gateways need, loaded with its first use: all of them together would be a tenth of every start.
 * @param name of a package that CommonJS can load
 */
export function lazyPackage<T>(name: string): () => T {
  let loaded: T | undefined;
  return () => {
    loaded ??= require(name) as T;
    return loaded;
  };
}
