/** The 350-byte JSON answer of every scenario that does not say otherwise. */
export const answer = Buffer.from(
  JSON.stringify({
    id: 42,
    name: "Rex",
    tags: ["dog", "brown"],
    owner: { name: "Ada", city: "London" },
    note: "x".repeat(256),
  }),
);
