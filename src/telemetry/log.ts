import { type Logger as PinoLogger, pino } from "pino";

/** One JSON line each: what a client sent is escaped, so it cannot make a second line. ATTACKS 56. */
export const createLogger = (): PinoLogger =>
  pino(
    { name: "portico", level: process.env.PORTICO_LOG ?? "info", base: null },
    pino.destination({ fd: 2, sync: false }),
  );
