/** The value of `--port`. @throws RangeError for what is no port */
export function parsePort(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,5}$/.test(text) && Number(text) < 65_536) return Number(text);
  throw new RangeError(`--port is ${text}; write a number from 0 to 65535`);
}
