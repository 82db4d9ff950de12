import { Router } from "express";
import type { Gateway } from "../gateway/gateway.ts";

/** `/v1/services`: what the gateway knows of each upstream service, how old that is, and why an instance is out. */
export function createServiceRouter(gateway: Pick<Gateway, "services">): Router {
  const router = Router();
  router.get("/v1/services", (_request, response) => {
    response.json(gateway.services());
  });
  return router;
}
