import express, { type Response, Router } from "express";
import type { ApiKeyFile, StoredKey } from "../storage/api-key-file.ts";

/** `/v1/api-keys`: makes, lists, rotates, ends and revokes API keys. A key itself is told once, when it is made. */
export function createApiKeyRouter(file: ApiKeyFile): Router {
  const router = Router();
  router.use("/v1/api-keys", express.json({ limit: "64kb" }));
  router.get("/v1/api-keys", (_request, response) => void response.json(file.list().map(withoutDigest)));
  router.post("/v1/api-keys", async (request, response) => {
    const { consumer, groups, scopes, expiresAt } = (request.body ?? {}) as Record<string, unknown>;
    if (typeof consumer !== "string" || consumer === "") return refuse(response, "consumer must be a name");
    if (!isNames(groups) || !isNames(scopes)) return refuse(response, "groups and scopes are lists of names");
    if (!isTime(expiresAt)) return refuse(response, "expiresAt must be a time such as 2027-01-31T00:00:00Z");
    const { key, stored } = await file.create({ consumer, groups, scopes, expiresAt });
    response.status(201).json({ key, ...withoutDigest(stored) });
  });
  router.post("/v1/api-keys/:id/rotate", async (request, response) => {
    const { graceSeconds = 0 } = (request.body ?? {}) as { graceSeconds?: unknown };
    if (typeof graceSeconds !== "number" || !(graceSeconds >= 0))
      return refuse(response, "graceSeconds must be 0 or more");
    const made = await file.rotate(request.params.id, graceSeconds);
    if (made === undefined) return unknown(response);
    response.status(201).json({ key: made.key, ...withoutDigest(made.stored) });
  });
  router.patch("/v1/api-keys/:id", async (request, response) => {
    const { expiresAt } = (request.body ?? {}) as { expiresAt?: unknown };
    if (expiresAt === undefined || !isTime(expiresAt)) return refuse(response, "expiresAt must be a time");
    if (!(await file.expire(request.params.id, new Date(expiresAt)))) return unknown(response);
    response.status(204).end();
  });
  router.delete("/v1/api-keys/:id", async (request, response) => {
    if (!(await file.revoke(request.params.id))) return unknown(response);
    response.status(204).end();
  });
  return router;
}

const withoutDigest = ({ digest: _, ...shown }: StoredKey): Omit<StoredKey, "digest"> => shown;
const isNames = (value: unknown): value is string[] | undefined =>
  value === undefined || (Array.isArray(value) && value.every((name) => typeof name === "string"));
const isTime = (value: unknown): value is string | undefined =>
  value === undefined || (typeof value === "string" && !Number.isNaN(Date.parse(value)));

const refuse = (response: Response, detail: string): void => answer(response, 400, "REQUEST_INVALID", detail);
const unknown = (response: Response): void => answer(response, 404, "API_KEY_UNKNOWN", "there is no key with this id");

function answer(response: Response, status: number, code: string, detail: string): void {
  response
    .status(status)
    .type("application/problem+json")
    .send(JSON.stringify({ title: code, status, code, detail }));
}
