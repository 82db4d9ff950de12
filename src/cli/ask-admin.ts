import { loadConfig } from "../config/load.ts";

/** Which running gateway is asked: the one of a configuration, or the one at a URL. */
export interface AdminPlace {
  readonly config?: string | undefined;
  readonly url?: string | undefined;
}

/**
 * Asks a running gateway's admin API, and says on standard error why it did not answer.
 * @param write is given what it answers
 * @returns the exit code
 */
export async function askAdmin(
  place: AdminPlace,
  path: string,
  init: RequestInit,
  write: (answer: unknown) => string,
): Promise<number> {
  const { admin } = (await loadConfig({ file: place.config })).config.options;
  const base = place.url ?? `http://${admin?.host ?? "127.0.0.1"}:${admin?.port ?? 8081}`;
  try {
    const response = await fetch(`${base}${path}`, {
      ...init,
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${admin?.token ?? ""}` },
    });
    const answer: unknown = response.status === 204 ? undefined : await response.json();
    if (response.ok) process.stdout.write(write(answer));
    else process.stderr.write(`refused (${response.status}): ${(answer as { detail?: string }).detail}\n`);
    return response.ok ? 0 : 1;
  } catch (error) {
    const { code } = ((error as Error).cause ?? {}) as { code?: string };
    process.stderr.write(
      `no admin API answers at ${base} (${code ?? (error as Error).message}); is the gateway running?\n`,
    );
    return 1;
  }
}
