import { defineHooks, definePlugin, GatewayError, Type } from "../src/plugin.ts";

/** Scanners that say who they are. Whoever means harm and knows better sends a browser's name: this only saves work. */
const SCANNERS = [
  "sqlmap",
  "nikto",
  "nmap",
  "masscan",
  "zgrab",
  "nuclei",
  "wpscan",
  "dirbuster",
  "gobuster",
  "feroxbuster",
  "ffuf",
  "acunetix",
  "nessus",
  "openvas",
  "arachni",
  "w3af",
  "havij",
  "hydra",
  "libwww-perl",
  "jorgee",
  "censysinspect",
  "l9explore",
];
const Patterns = Type.Array(Type.String({ minLength: 1 }));

export default definePlugin({
  name: "deny",
  phase: "limit-address",
  options: Type.Object(
    {
      scanners: Type.Boolean({
        default: true,
        description: "Refuse well-known vulnerability scanners by their User-Agent.",
      }),
      agents: Type.Optional({
        ...Patterns,
        description:
          "User agents that are refused, without regard to case; * stands for anything, and a pattern matches anywhere.",
      }),
      allowAgents: Type.Optional({
        ...Patterns,
        description: "User agents that are taken although a pattern refuses them.",
      }),
      emptyAgent: Type.Boolean({ default: false, description: "Refuse requests without a User-Agent." }),
      paths: Type.Optional({
        ...Patterns,
        description: "Paths that are refused, as /internal/*; the whole path has to match.",
      }),
      methods: Type.Optional({ ...Patterns, description: "Methods that are refused." }),
    },
    { additionalProperties: false },
  ),
  setup({ options }) {
    const anywhere = (pattern: string): string => `*${pattern.toLowerCase()}*`;
    const agents = [...(options.scanners ? SCANNERS : []), ...(options.agents ?? [])].map(anywhere);
    const allowed = (options.allowAgents ?? []).map(anywhere);
    const paths = options.paths ?? [];
    const methods = new Set(options.methods ?? []);
    // The same few clients call again and again: what was decided of an agent is kept, for a bounded number of them.
    const known = new Map<string, boolean>();
    const isDeniedAgent = (agent: string): boolean => {
      const lower = agent.toLowerCase();
      return agents.some((glob) => isMatch(glob, lower)) && !allowed.some((glob) => isMatch(glob, lower));
    };
    return defineHooks({
      onRequest({ request }) {
        const agent = request.headers.get("user-agent") ?? "";
        let isDenied = known.get(agent);
        if (isDenied === undefined) {
          isDenied = agent === "" ? options.emptyAgent : isDeniedAgent(agent);
          if (known.size >= 1_000) known.clear();
          known.set(agent, isDenied);
        }
        if (isDenied || methods.has(request.method) || paths.some((glob) => isMatch(glob, request.path))) {
          throw new GatewayError("FORBIDDEN", "such requests are not taken");
        }
      },
    });
  },
});

/** A glob with `*`: each star is tried again at most once a character, so no text makes it slow as it would a regular expression. */
function isMatch(glob: string, text: string): boolean {
  let star = -1;
  let resume = 0;
  let g = 0;
  for (let i = 0; i < text.length; ) {
    if (glob[g] === "*") {
      star = g++;
      resume = i;
    } else if (glob[g] === text[i]) {
      g++;
      i++;
    } else if (star >= 0) {
      g = star + 1;
      i = ++resume;
    } else {
      return false;
    }
  }
  while (glob[g] === "*") g++;
  return g === glob.length;
}
