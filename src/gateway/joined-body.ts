/** Up to here a body leaves in one text with its head. A longer one would be copied three times on that way. */
export const MAX_JOINED_BYTES = 4_096;

/** What is not in the text with the head, and follows it. */
export const findRest = (body: Buffer | null): Buffer | undefined =>
  body !== null && body.length > MAX_JOINED_BYTES ? body : undefined;
