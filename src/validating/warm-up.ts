/** Compiled ahead: beyond this many operations, memory counts for more than the first request's millisecond. */
const MAX_OPERATIONS = 256;
const PAUSE_MS = 10;
/** Before the first: who waited for the start is answered before anything is compiled that nobody asked for. */
const DELAY_MS = 500;

/**
 * Compiles the checks of operations while nobody waits, one at a time with a pause after each.
 * @param fail called with what could not be compiled; traffic is not refused for it
 * @returns stops it
 */
export function warmUp(prepares: readonly (() => void)[], fail: (error: unknown) => void): () => void {
  let at = 0;
  const step = (): void => {
    try {
      prepares[at++]?.();
    } catch (error) {
      fail(error);
    }
    if (at < Math.min(prepares.length, MAX_OPERATIONS)) timer = setTimeout(step, PAUSE_MS).unref();
  };
  let timer = setTimeout(step, DELAY_MS).unref();
  return () => clearTimeout(timer);
}
