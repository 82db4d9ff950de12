import { Type } from "../core/type.ts";

const strict = { additionalProperties: false } as const;
const percent = (description: string) => Type.Optional(Type.String({ pattern: "^\\d+(\\.\\d+)?%$", description }));
const milliseconds = (description: string, minimum = 1) => Type.Optional(Type.Integer({ minimum, description }));
const count = (description: string, minimum = 1) => Type.Optional(Type.Integer({ minimum, description }));
const name = (description: string) => Type.Optional(Type.String({ minLength: 1, description }));

export const HashOptions = Type.Object(
  {
    header: name("A request header."),
    cookie: name("A cookie."),
    query: name("A query parameter."),
    path: name("A path parameter."),
    by: Type.Optional(
      Type.Union([Type.Literal("consumer"), Type.Literal("address"), Type.Literal("path")], {
        description: "consumer (its address while nobody is authenticated), address or path. Default: consumer.",
      }),
    ),
    bound: Type.Optional(
      Type.Number({
        exclusiveMinimum: 1,
        description: "Times the average load that an instance may have before its keys go on to others. Default: 1.25.",
      }),
    ),
  },
  { ...strict, description: "What is hashed; without it in the request, chance decides. Write one of them." },
);
export type HashOptions = Type.Static<typeof HashOptions>;

export const BalanceOptions = Type.Object(
  {
    policy: Type.Optional(
      Type.Union(
        [
          Type.Literal("least-busy"),
          Type.Literal("round-robin"),
          Type.Literal("random"),
          Type.Literal("peak-ewma"),
          Type.Literal("hash"),
          Type.Literal("sticky"),
        ],
        { description: "least-busy, round-robin, random, peak-ewma, hash or sticky. Default: least-busy." },
      ),
    ),
    hash: Type.Optional(HashOptions),
    cookie: name("Of the policy sticky. Default: portico-instance."),
    cookieSeconds: count("How long a browser keeps that cookie. Default: until it is closed."),
  },
  strict,
);
export type BalanceOptions = Type.Static<typeof BalanceOptions>;

export const ActiveCheckOptions = Type.Object(
  {
    path: name("GET this path; without it, opening a connection is the check."),
    statuses: Type.Optional(
      Type.Array(Type.Integer({ minimum: 100, maximum: 599 }), { minItems: 1, description: "Default: 200 to 299." }),
    ),
    intervalMs: milliseconds("Between two checks of an instance, a tenth more or less. Default: 10000.", 10),
    timeoutMs: milliseconds("Default: 2000."),
    healthyAfter: count("Successes until it is in again. Default: 2."),
    unhealthyAfter: count("Failures until it is out. Default: 3."),
  },
  strict,
);
export type ActiveCheckOptions = Type.Static<typeof ActiveCheckOptions>;

export const OutlierOptions = Type.Object(
  {
    consecutiveFailures: count("5xx answers, timeouts and broken connections in a row. Default: 5."),
    intervalMs: milliseconds("Between two looks at success rates. Default: 10000.", 10),
    ejectionMs: milliseconds("First ejection; the nth takes n times that. Default: 30000.", 10),
    maxEjectionMs: milliseconds("Default: 300000.", 10),
    maxEjected: percent("Of the instances at once. Default: 50%."),
    successRateMinimumHosts: count("Instances with enough requests. Default: 5."),
    successRateMinimumRequests: count("In one interval. Default: 100."),
    successRateDeviations: Type.Optional(
      Type.Number({ exclusiveMinimum: 0, description: "Standard deviations below the mean. Default: 1.9." }),
    ),
  },
  { ...strict, description: "Outlier detection by Envoy's rules." },
);
export type OutlierOptions = Type.Static<typeof OutlierOptions>;

export const HealthOptions = Type.Object(
  {
    active: Type.Optional(ActiveCheckOptions),
    passive: Type.Optional(
      Type.Union([Type.Literal(false), OutlierOptions], { description: "Outlier detection; false turns it off." }),
    ),
    panic: percent("Below this share of healthy instances, all that accept connections are used. Default: 50%."),
  },
  strict,
);
export type HealthOptions = Type.Static<typeof HealthOptions>;

export const BreakerOptions = Type.Object(
  {
    per: Type.Optional(
      Type.Union([Type.Literal("service"), Type.Literal("instance"), Type.Literal("both")], {
        description: "service, instance or both. Default: both.",
      }),
    ),
    failureRate: percent("Share of failed tries that opens it. Default: 50%."),
    minimumRequests: count("In the window, before it may open. Default: 20."),
    windowMs: milliseconds("Default: 10000.", 10),
    openMs: milliseconds("Until it lets probes through. Default: 5000.", 10),
    probes: count("Successes in a row that close it, and how many may be under way at once. Default: 3."),
  },
  strict,
);
export type BreakerOptions = Type.Static<typeof BreakerOptions>;

export const ConcurrencyOptions = Type.Object(
  {
    limit: count("Requests at once to the whole service; with adaptive, where it starts. Default: no limit, 20."),
    adaptive: Type.Optional(Type.Boolean({ description: "Moves the limit by what latency does. Default: false." })),
    minimum: count("Of the adaptive limit. Default: 5."),
    maximum: count("Of the adaptive limit. Default: 1000."),
    perInstance: count("Requests at once to one instance. Default: no limit."),
  },
  strict,
);
export type ConcurrencyOptions = Type.Static<typeof ConcurrencyOptions>;

export const SlowStartOptions = Type.Object(
  {
    windowMs: milliseconds("From joining to the whole weight. Default: 30000."),
    minimum: percent("Of its weight, at the start. Default: 10%."),
    aggression: Type.Optional(
      Type.Number({ exclusiveMinimum: 0, description: "1 grows evenly; above 1, faster at the start. Default: 1." }),
    ),
  },
  strict,
);
export type SlowStartOptions = Type.Static<typeof SlowStartOptions>;

export const VersionRule = Type.Object(
  {
    version: Type.String({ minLength: 1, description: "Instances that say this version." }),
    header: Type.Optional(
      Type.Record(Type.String(), Type.String(), { description: "Requests that carry it; * is any value." }),
    ),
    percent: percent("Of the other requests; a consumer goes the same way each time."),
    by: Type.Optional(
      Type.Union([Type.Literal("chance"), Type.Literal("address")], {
        description:
          "How the share is taken of callers without a name: of their requests by chance, or of their addresses, which is no share of anything behind a proxy that hides them. Default: chance.",
      }),
    ),
  },
  strict,
);
export type VersionRule = Type.Static<typeof VersionRule>;

/** The keys of `upstream` that are about choosing among instances. */
export const BalancingOptions = Type.Object(
  {
    balance: Type.Optional(BalanceOptions),
    zone: name("Where this gateway stands: instances of the same zone come first."),
    versions: Type.Optional(
      Type.Array(VersionRule, {
        description: "Which requests a version gets. Versions that no rule names serve the rest.",
      }),
    ),
    health: Type.Optional(HealthOptions),
    breaker: Type.Optional(BreakerOptions),
    concurrency: Type.Optional(ConcurrencyOptions),
    slowStart: Type.Optional(SlowStartOptions),
  },
  strict,
);
export type BalancingOptions = Type.Static<typeof BalancingOptions>;
