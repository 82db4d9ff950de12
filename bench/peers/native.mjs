import { spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Servers that are not on npm: taken when they are installed. Each gives the words that start it, on one core. */
const write = (name, text) => {
  const file = join(mkdtempSync(join(tmpdir(), "portico-bench-")), name);
  writeFileSync(file, text);
  return file;
};
export const isInstalled = (name) => spawnSync("sh", ["-c", `PATH=$PATH:/usr/sbin command -v ${name}`]).status === 0;

const nginxConf = (port, upstream, { cache, tls, connections = 4096, bodyBytes = "1m" }) => `
worker_processes 1; daemon off; pid /tmp/portico-bench-nginx-${port}.pid; error_log /dev/null;
events { worker_connections ${connections}; }
http {
  access_log off; client_max_body_size ${bodyBytes}; client_body_temp_path /tmp/portico-bench-body; proxy_temp_path /tmp/portico-bench-proxy;
  fastcgi_temp_path /tmp/portico-bench-f; uwsgi_temp_path /tmp/portico-bench-u; scgi_temp_path /tmp/portico-bench-s;
  ${cache ? "proxy_cache_path /tmp/portico-bench-cache keys_zone=c:10m max_size=100m;" : ""}
  keepalive_requests 100000000;
  upstream u { server 127.0.0.1:${upstream}; keepalive 256; keepalive_requests 100000000; }
  server { listen 127.0.0.1:${port}${tls ? ` ssl; ssl_protocols TLSv1.3; ssl_certificate ${tls.cert}; ssl_certificate_key ${tls.key}` : ""};
    location / { proxy_pass http://u; proxy_http_version 1.1; proxy_set_header Connection ""; ${cache ? "proxy_cache c;" : ""} } }
}`;

export const native = {
  nginx: (port, upstream, options = {}) => ["nginx", "-c", write("nginx.conf", nginxConf(port, upstream, options))],
  haproxy: (port, upstream) => [
    "haproxy",
    "-db",
    "-f",
    write(
      "haproxy.cfg",
      `global
  nbthread 1
  maxconn 4000
defaults
  mode http
  timeout client 30s
  timeout server 30s
  timeout connect 1s
  http-reuse always
frontend f
  bind 127.0.0.1:${port}
  default_backend b
backend b
  server s 127.0.0.1:${upstream}
`,
    ),
  ],
  caddy: (port, upstream) => [
    "caddy",
    "run",
    "--adapter",
    "caddyfile",
    "--config",
    write(
      "Caddyfile",
      `{\n admin off\n auto_https off\n}\nhttp://127.0.0.1:${port} {\n reverse_proxy 127.0.0.1:${upstream} {\n  transport http {\n   keepalive_idle_conns_per_host 256\n  }\n }\n}\n`,
    ),
  ],
  varnish: (port, upstream) => [
    "varnishd",
    "-j",
    "none",
    "-F",
    "-n",
    mkdtempSync(join(tmpdir(), "portico-bench-varnish-")),
    "-a",
    `127.0.0.1:${port}`,
    "-b",
    `127.0.0.1:${upstream}`,
    "-s",
    "malloc,64m",
  ],
};
