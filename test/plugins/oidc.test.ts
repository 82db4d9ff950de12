import assert from "node:assert/strict";
import { createServer } from "node:http";
import { type TestContext, test } from "node:test";
import Provider from "oidc-provider";
import { listen } from "../support/plugin-gateway.ts";
import { startSecuredGateway } from "../support/secured-gateway.ts";

/** A browser as small as can be: keeps cookies by origin, follows nothing by itself. */
class Browser {
  private readonly jars = new Map<string, Map<string, string>>();

  async ask(
    url: string,
    form?: Record<string, string>,
  ): Promise<{ status: number; location: string | undefined; text: string }> {
    const { origin } = new URL(url);
    const jar = this.jars.get(origin) ?? new Map<string, string>();
    this.jars.set(origin, jar);
    const response = await fetch(url, {
      redirect: "manual",
      headers: { Accept: "text/html", Cookie: [...jar].map((pair) => pair.join("=")).join("; ") },
      ...(form !== undefined && { method: "POST", body: new URLSearchParams(form) }),
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === "" || /max-age=0|1970/i.test(line)) jar.delete(name);
      else jar.set(name, value);
    }
    const location = response.headers.get("location");
    return {
      status: response.status,
      location: location === null ? undefined : new URL(location, url).href,
      text: await response.text(),
    };
  }

  cookie(url: string, name: string): string | undefined {
    return this.jars.get(new URL(url).origin)?.get(name);
  }

  set(url: string, name: string, value: string): void {
    this.jars.get(new URL(url).origin)?.set(name, value);
  }

  /** Signs in at the provider and agrees to everything, until it sends us back. @returns the callback's URL */
  async signIn(authorization: string, callback: string): Promise<string> {
    let url = authorization;
    for (let steps = 0; steps < 20; steps++) {
      if (url.startsWith(callback)) return url;
      const page = await this.ask(url);
      if (page.location !== undefined) {
        url = page.location;
        continue;
      }
      const action = /<form[^>]*action="([^"]+)"/.exec(page.text)?.[1];
      assert.ok(action !== undefined, page.text.slice(0, 500));
      const prompt = /name="prompt" value="([^"]+)"/.exec(page.text)?.[1] ?? "login";
      const done = await this.ask(new URL(action, url).href, { prompt, login: "ada", password: "any" });
      assert.ok(done.location !== undefined, done.text.slice(0, 500));
      url = done.location;
    }
    throw new Error("the provider never sent us back");
  }
}

/** An OpenID provider from npm, and a gateway whose API needs a sign-in there. */
async function start(t: TestContext, more: object = {}) {
  const server = createServer();
  const issuer = await listen(server);
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const options = {
    issuer,
    clientId: "gateway",
    clientSecret: "a-secret-of-the-gateway-alone",
    cookieSecret: "a secret that encrypts the cookies of sessions",
    callback: "/things",
    ...more,
  };
  const gateway = await startSecuredGateway(t, [{ oidc: [] }], { security: { oidc: { oidc: options } } });
  const callback = `${gateway.url}/things`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: "gateway",
        client_secret: "a-secret-of-the-gateway-alone",
        redirect_uris: [callback],
        grant_types: ["authorization_code", "refresh_token"],
      },
    ],
    scopes: ["openid", "offline_access"],
    cookies: { keys: ["test"] },
    pkce: { required: () => true },
    findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    ttl: { AccessToken: 2, IdToken: 3600, Session: 3600, Grant: 3600, Interaction: 600, RefreshToken: 3600 },
  });
  server.on("request", provider.callback());
  return { gateway, callback, browser: new Browser() };
}

test("a person signs in with a browser, comes back to the page, and is known from then on", async (t) => {
  const { gateway, callback, browser } = await start(t);
  const first = await browser.ask(`${callback}?limit=2`);
  assert.equal(first.status, 302);
  const back = await browser.signIn(String(first.location), callback);
  const home = await browser.ask(back);
  assert.deepEqual([home.status, home.location], [302, `${callback}?limit=2`], home.text);
  assert.equal((await browser.ask(String(home.location))).status, 200);
  assert.equal(gateway.seen[0]?.headers["x-consumer-name"], "ada");
  assert.doesNotMatch(JSON.stringify(gateway.seen), /portico-session/);
  assert.equal((await browser.ask(back)).status, 401, "a sign-in counts once");
});

test("a callback that this browser has not begun is refused, and a changed session is none", async (t) => {
  const { gateway, callback, browser } = await start(t);
  const first = await browser.ask(callback);
  const back = await browser.signIn(String(first.location), callback);
  assert.equal((await new Browser().ask(back)).status, 401);
  assert.equal((await browser.ask(back.replace(/state=[^&]+/, "state=other"))).status, 401);
  await browser.ask(back);
  const session = String(browser.cookie(callback, "portico-session"));
  assert.equal(session.split(".").length, 5, "it is encrypted");
  browser.set(callback, "portico-session", `${session.slice(0, -4)}AAAA`);
  assert.equal((await browser.ask(callback)).status, 302);
  assert.equal(gateway.seen.length, 0);
});

test("what is no page is not sent to sign in, but refused", async (t) => {
  const { gateway } = await start(t);
  const answer = await gateway.get();
  assert.deepEqual([answer.status, answer.code], [401, "CREDENTIALS_MISSING"]);
});

test("a session is refreshed while the provider agrees", async (t) => {
  const { callback, browser } = await start(t, { scopes: ["openid", "offline_access"] });
  const first = await browser.ask(callback);
  await browser.ask(await browser.signIn(String(first.location), callback));
  const before = browser.cookie(callback, "portico-session");
  const deadline = Date.now() + 20_000;
  while (browser.cookie(callback, "portico-session") === before) {
    assert.ok(Date.now() < deadline, "it was never refreshed");
    assert.equal((await browser.ask(callback)).status, 200);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
});

test("logging out ends the session and goes to the provider", async (t) => {
  const { callback, browser, gateway } = await start(t, { callback: "/things", logout: "/things" });
  const answer = await browser.ask(callback);
  assert.equal(answer.status, 302);
  assert.match(String(answer.location), /session\/end\?client_id=gateway$/);
  assert.equal(gateway.seen.length, 0);
});

test("another site cannot sign people out", async (t) => {
  const { gateway, callback } = await start(t, { logout: "/things" });
  const answer = await fetch(callback, { redirect: "manual", headers: { "Sec-Fetch-Site": "cross-site" } });
  assert.deepEqual([answer.status, answer.headers.get("set-cookie")], [403, null]);
  assert.equal(gateway.seen.length, 0);
});

test("a cookie of a sign-in under way is no session, nor is a session of another client with the same secret", async (t) => {
  const { callback, browser } = await start(t);
  const first = await browser.ask(callback);
  browser.set(callback, "portico-session", String(browser.cookie(callback, "portico-login")));
  assert.equal((await browser.ask(callback)).status, 302);
  await browser.ask(await browser.signIn(String((await browser.ask(callback)).location ?? first.location), callback));
  assert.equal((await browser.ask(callback)).status, 200);
  const other = await start(t, { clientId: "other" });
  await other.browser.ask(other.callback);
  other.browser.set(other.callback, "portico-session", String(browser.cookie(callback, "portico-session")));
  assert.equal((await other.browser.ask(other.callback)).status, 302);
});

test("behind a proxy that ends TLS cookies are sent over TLS alone", async (t) => {
  const { callback } = await start(t, { publicUrl: "https://app.example.com" });
  const answer = await fetch(callback, { redirect: "manual", headers: { Accept: "text/html" } });
  assert.match(String(answer.headers.get("set-cookie")), /; HttpOnly; SameSite=Lax; Secure$/);
});

test("a provider that talks nonsense is 503, not a fault of the gateway", async (t) => {
  for (const nonsense of ["<html>", "null", "[]"]) {
    const server = createServer((_, response) => response.end(nonsense));
    const issuer = await listen(server);
    t.after(() => server.close());
    const { callback } = await start(t, { issuer });
    const answer = await fetch(callback, { redirect: "manual", headers: { Accept: "text/html" } });
    assert.equal(answer.status, 503, nonsense);
  }
});
