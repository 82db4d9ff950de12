/** Methods that no gateway passes on: TRACE echoes credentials, CONNECT makes a tunnel. ATTACKS 23. */
export const REFUSED_METHODS: ReadonlySet<string> = new Set(["TRACE", "CONNECT"]);
