/** The line of `Date`, written once a second (RFC 9110 §6.6.1). */
export class DateField {
  private line = "";
  private second = 0;

  /** With its CR LF. */
  now(): string {
    const second = Math.floor(Date.now() / 1000);
    if (second !== this.second) {
      this.second = second;
      this.line = `Date: ${new Date(second * 1000).toUTCString()}\r\n`;
    }
    return this.line;
  }
}
