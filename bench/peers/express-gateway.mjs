import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

const [, , port, upstream] = process.argv;
const folder = mkdtempSync(join(tmpdir(), "express-gateway-"));
mkdirSync(join(folder, "models"));
writeFileSync(
  join(folder, "gateway.config.yml"),
  `http: { port: ${port}, hostname: 127.0.0.1 }
apiEndpoints: { api: { host: '*', paths: '/*' } }
serviceEndpoints: { up: { url: 'http://127.0.0.1:${upstream}' } }
policies: [proxy]
pipelines: { default: { apiEndpoints: [api], policies: [{ proxy: [{ action: { serviceEndpoint: up, changeOrigin: true } }] }] } }
`,
);
writeFileSync(
  join(folder, "system.config.yml"),
  "db: { redis: { emulate: true, namespace: EG } }\ncrypto: { cipherKey: k, algorithm: aes256, saltRounds: 10 }\nsession: { secret: s, resave: false, saveUninitialized: false }\naccessTokens: { timeToExpiry: 7200000 }\nrefreshTokens: { timeToExpiry: 7200000 }\nauthorizationCodes: { timeToExpiry: 300000 }\n",
);
for (const name of ["users", "applications", "credentials"]) {
  writeFileSync(
    join(folder, "models", `${name}.json`),
    JSON.stringify({ $id: `http://express-gateway.io/models/${name}.json`, type: "object", properties: {} }),
  );
}
process.env.LOG_LEVEL = "error";
createRequire(import.meta.url)("express-gateway")()
  .load(folder)
  .run();
