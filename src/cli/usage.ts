const CONFIG = "  --config FILE    default: portico.yaml of this folder";
const ADMIN = `${CONFIG}; its \`admin\` says where to ask\n  --url URL        of the admin API, in place of that`;

/** What `portico COMMAND --help` prints. */
export const USAGE = {
  start: `portico start [--config FILE] [--port N] [--watch]

Runs the gateway until SIGTERM or SIGINT; a second one ends it at once. SIGHUP reads the configuration again.

${CONFIG}
  --port N         before listen.port of the configuration; 0 takes a free one
  --watch          a change of a file of the configuration or of a spec is read at once, as with SIGHUP
`,
  check: `portico check [--config FILE] [--strict]

Reads everything, runs nothing, and says what is wrong, with file, line and column. Exits with 1 when something is.

${CONFIG}
  --strict         warnings fail, too
`,
  init: `portico init [SPEC] [--upstream URL | --service NAME] [--prefix /PATH]

Writes portico.yaml and a route file for a spec that you have; without one, a spec that a mock answers. Never over a file.

  --upstream URL   where the service answers; default: http://127.0.0.1:9000
  --service NAME   in place of it: a service that the registry knows
  --prefix /PATH   stands before every path; default: the path of the spec's first server
`,
  registry: `portico registry [--host H] [--port N] [--data FOLDER] [--token-file FILE] [--allow NETWORK]… [--deny NETWORK]…
                 [--etcd URL]… [--etcd-ca FILE] [--etcd-cert FILE] [--etcd-key FILE]

Runs the registry alone, until SIGTERM or SIGINT. PORTICO_REGISTRY_TOKEN guards it; PORTICO_ETCD_USER and
PORTICO_ETCD_PASSWORD are for etcd.

  --data FOLDER    default: ./data
  --allow, --deny  networks that instances may or must not be in, as 10.0.0.0/8
`,
  explain: `portico explain METHOD PATH [--host H] [--config FILE]

Says which operation answers a request, what it meets on its way, and what the cache makes of it. Runs nothing.

  --host H         as the request would name it
${CONFIG}
`,
  services: `portico services [--json] [--config FILE | --url URL]

Says what a running gateway knows of its upstreams: instances, their health and why.

${ADMIN}
`,
  purge: `portico purge --key K | --prefix P | --tag T | --operation ID | --all [--soft] [--config FILE | --url URL]

Lets a running gateway forget stored answers.

  --soft           only mark them as stale
${ADMIN}
`,
  demo: `portico demo [--config FILE]

Runs the demo: gateway, registry, an issuer of tokens, and a petstore in two processes.

${CONFIG}
`,
  schema: `portico schema [--out FOLDER]

Writes the JSON Schemas of the configuration files, for editors; without --out, to standard output.
`,
  "new-plugin": `portico new-plugin NAME [--folder FOLDER]

Writes a plugin that works, and its test. Never over a file that is there.

  --folder FOLDER  default: plugins
`,
  "api-key": `portico api-key create --consumer NAME [--group G]… [--scope S]… [--expires TIME]
portico api-key list
portico api-key rotate ID [--grace SECONDS]
portico api-key expire ID --expires TIME
portico api-key revoke ID
  each with --store FILE; default ./data/api-keys.json, the \`store\` of the api-key plugin
`,
  consumers: `portico consumers list [--json]
portico consumers add NAME [--group G]… [--quota N/day|N/month]…
portico consumers remove NAME
portico consumers key NAME [--scope S]… [--expires TIME]
portico consumers rotate NAME ID [--grace SECONDS]
portico consumers expire NAME ID --expires TIME
portico consumers revoke NAME ID
  each with --config portico.yaml or --url of the admin API; \`add\` changes one that is there, and its credentials stay
`,
  "hash-password": `portico hash-password < FILE

Prints what basic-auth wants in place of the password on standard input.
`,
} as const;

/** What `portico --help` prints. */
export const OVERVIEW = `portico: an API gateway that reads OpenAPI

  portico start [--config portico.yaml] [--port N]   run the gateway
  portico check [--config portico.yaml] [--strict]   read everything, run nothing, say what is wrong
  portico init [SPEC] [--upstream URL]               write portico.yaml and a route file to begin with
  portico registry [--port N] [--data folder]        run a registry alone
  portico explain METHOD PATH [--host H]             what a request meets, and what the cache makes of it
  portico services [--config portico.yaml] [--json]  instances, their health and why, by the admin API
  portico purge --key|--prefix|--tag|--operation X | --all [--soft]
                                                     forget stored answers, by the admin API
  portico demo  [--config portico.yaml]              run the demo: gateway, registry and a petstore in two processes
  portico schema [--out folder]                      JSON Schemas of the configuration files, for editors
  portico new-plugin NAME [--folder plugins]         write a plugin and its test
  portico api-key create|list|rotate|expire|revoke   the keys of a file that api-key reads
  portico consumers list|add|remove|key|rotate|expire|revoke
                                                     who the admin API keeps, and their keys
  portico hash-password                              what basic-auth wants in place of the password on standard input

  portico COMMAND --help says more; portico --version
`;
