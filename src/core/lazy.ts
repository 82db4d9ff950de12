import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** Made with the first use, and kept. */
export function lazy<T extends object>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/**
 * A package that few gateways need: all of them together would be a tenth of every start.
 * @param name of a package that CommonJS can load
 */
export const lazyPackage = <T extends object>(name: string): (() => T) => lazy(() => require(name) as T);
