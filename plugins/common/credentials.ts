import { type Exchange, GatewayError } from "../../src/plugin.ts";

/** Where a credential travels. */
export interface Place {
  readonly in: "header" | "query" | "cookie";
  /** As the client writes it; a header's in lower case. */
  readonly name: string;
}

/**
 * The credential at a place.
 * @throws GatewayError 401 when it stands there more than once: two readers could then take different ones. ATTACKS 35.
 */
export function findCredential(exchange: Exchange, place: Place): string | undefined {
  const { request } = exchange;
  if (place.in === "header") {
    const value = request.headers.get(place.name);
    if (request.headers.isRepeated(place.name)) throw repeated(place);
    return value;
  }
  if (place.in === "query") {
    if (!request.query.includes("=")) return undefined;
    const values = request.query.split("&").filter((pair) => nameOf(pair) === place.name);
    return only(values.map(textOf), place);
  }
  return only(findCookies(request.headers.getAll("cookie"), place.name), place);
}

/** Takes a credential out of what the upstream will see. */
export function removeCredential(exchange: Exchange, place: Place): void {
  const { request } = exchange;
  if (place.in === "header") {
    request.headers.delete(place.name);
  } else if (place.in === "query") {
    request.query = request.query
      .split("&")
      .filter((pair) => nameOf(pair) !== place.name)
      .join("&");
  } else {
    const rest = request.headers
      .getAll("cookie")
      .flatMap((line) => line.split(";"))
      .filter((pair) => cookieName(pair) !== place.name && pair.trim() !== "");
    if (rest.length === 0) request.headers.delete("cookie");
    else request.headers.set("Cookie", rest.map((pair) => pair.trim()).join("; "));
  }
}

/** A credential in the query stays out of logs, whether it is right or wrong. */
export function redactTarget(exchange: Exchange): void {
  exchange.request.target = exchange.request.path;
}

function only(values: readonly string[], place: Place): string | undefined {
  if (values.length <= 1) return values[0];
  throw repeated(place);
}

const repeated = (place: Place): GatewayError =>
  new GatewayError("CREDENTIALS_INVALID", `send the ${place.in} ${place.name} once`);

const nameOf = (pair: string): string => decode(pair.split("=", 1)[0] as string);
const textOf = (pair: string): string => (pair.includes("=") ? decode(pair.slice(pair.indexOf("=") + 1)) : "");

/** As forms write it; what is not percent-encoding stays as it is and so matches no credential. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return text;
  }
}

/** Every value of a cookie, over all field lines (RFC 6265 §4.2.1). */
export function findCookies(lines: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (const line of lines) {
    for (const pair of line.split(";")) {
      if (cookieName(pair) === name) values.push(pair.slice(pair.indexOf("=") + 1).trim());
    }
  }
  return values;
}

const cookieName = (pair: string): string => pair.slice(0, Math.max(pair.indexOf("="), 0)).trim();
