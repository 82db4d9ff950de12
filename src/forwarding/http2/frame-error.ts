/** What the library says where frames of the upstream are against the protocol: of the session, and then of its streams. */
export const isMalformed = (error: Error): boolean => {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ERR_HTTP2_ERROR" || code === "ERR_HTTP2_TOO_MANY_INVALID_FRAMES";
};
