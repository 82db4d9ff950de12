/** Resolves to the first truthy answer, looked for again and again. @throws Error with what was waited for, at the deadline */
export async function eventually<Answer>(
  what: string,
  find: () => Answer | Promise<Answer>,
  deadlineMs = 20_000,
): Promise<Exclude<Awaited<Answer>, false | undefined | null>> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const found = await find();
    if (found) return found as Exclude<Awaited<Answer>, false | undefined | null>;
    if (performance.now() > end) throw new Error(`waited ${deadlineMs} ms for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
