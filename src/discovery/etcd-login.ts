/** What etcd says to a request whose token has ended, is of an earlier state of its users, or is missing. */
const REFUSALS = /auth token|auth store is old|user name is empty/;

/** The token that a member gives for user and password: it ends some minutes after its last use, or with the member. */
export class EtcdLogin {
  private readonly ask: () => Promise<string>;
  private token: Promise<string> | undefined = undefined;

  /** @param ask for a new token; empty where the cluster asks for none */
  constructor(ask: () => Promise<string>) {
    this.ask = ask;
  }

  /** Asked for once for all who wait: etcd takes a tenth of a second of work to look at a password. */
  current(): Promise<string> {
    if (this.token === undefined) {
      const asked = this.ask();
      this.token = asked;
      asked.catch(() => this.forget(asked));
    }
    return this.token;
  }

  /** @param sent the token of the request that was answered so @returns whether another token may help */
  async isRefusal(sent: string, status: number, why: string): Promise<boolean> {
    if (status !== 401 && !REFUSALS.test(why)) return false;
    // Another request may have fetched a new one since.
    const { token } = this;
    if (token !== undefined && (await token.catch(() => undefined)) === sent) this.forget(token);
    return true;
  }

  private forget(token: Promise<string>): void {
    if (this.token === token) this.token = undefined;
  }
}
