/**
 * An answer that leaves again and again. Written out when it leaves for the second time, it need not be put together
 * for each client. It hangs on a {@link HeaderList}, which drops it with the first field that changes.
 */
export class Prepared {
  readonly status: number;
  readonly body: Buffer | null;
  /** As it stands on a connection that stays open, but for a long body, which follows; undefined until the gateway has written it out. */
  text: string | undefined = undefined;
  /** What `text` says of how long the connection stays open. */
  keepAliveMs = 0;
  /** Times it left before it was written out. */
  times = 0;

  constructor(status: number, body: Buffer | null) {
    this.status = status;
    this.body = body;
  }
}
