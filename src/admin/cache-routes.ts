import express, { Router } from "express";
import type { Cache } from "../caching/cache.ts";
import { findPurge } from "../caching/purge-request.ts";
import { findNormalisedPath } from "../routing/normalise.ts";

/** `/v1/cache`: what is stored, and how it is forgotten. Behind the admin token. */
export function createCacheAdminRouter(cache: Cache): Router {
  const router = Router();
  router.get("/v1/cache", (_request, response) => {
    response.json(cache.statistics());
  });
  router.post("/v1/cache/purge", express.json({ limit: "64kb" }), async (request, response) => {
    const purge = findPurge(request.body, findNormalisedPath);
    if (typeof purge === "string") {
      response.status(400).type("application/problem+json");
      response.send(JSON.stringify({ title: "PURGE_INVALID", status: 400, code: "PURGE_INVALID", detail: purge }));
      return;
    }
    await cache.purge(purge);
    response.json({ purged: purge.kind, soft: purge.soft });
  });
  return router;
}
