// An OpenID provider for tests of signing in to the pages: oidc-provider with its
// own development forms, one client, in memory. Any user name and password signs
// in; the user name decides the claims: "admin…" has the group provhub-admins,
// "auditor…" has provhub-auditors, others have none.
// The client is a native one: its redirect URIs are on a loopback address, with any
// port (RFC 8252 §7.3), because tests listen wherever there is room.
// Environment: PORT, CLIENT_ID, CLIENT_SECRET, REDIRECT_URIS (by commas).
import Provider from "oidc-provider";

const { PORT, CLIENT_ID, CLIENT_SECRET, REDIRECT_URIS } = process.env;
const issuer = `http://127.0.0.1:${PORT}`;

const groupsFor = (id) =>
  id.startsWith("admin") ? ["provhub-admins"] : id.startsWith("auditor") ? ["provhub-auditors"] : [];

const provider = new Provider(issuer, {
  clients: [{
    client_id: CLIENT_ID,
    client_secret: CLIENT_SECRET,
    application_type: "native",
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    redirect_uris: REDIRECT_URIS.split(","),
  }],
  cookies: { keys: ["provhub-test"] },
  scopes: ["openid", "offline_access", "profile", "email", "groups"],
  claims: { openid: ["sub"], profile: ["name", "preferred_username"], email: ["email", "email_verified"], groups: ["groups"] },
  conformIdTokenClaims: false,
  findAccount: (ctx, id) => ({
    accountId: id,
    claims: () => ({
      sub: id, name: id, preferred_username: id,
      email: `${id}@example.org`, email_verified: true, groups: groupsFor(id),
    }),
  }),
  features: { devInteractions: { enabled: true } },
  ttl: { AccessToken: 3600, IdToken: 3600, Interaction: 3600, Grant: 3600, Session: 3600 },
});

const server = provider.listen(Number(PORT), "127.0.0.1", () => console.log(`listening on ${issuer}`));
for (const s of ["SIGTERM", "SIGINT"]) process.on(s, () => { server.closeAllConnections?.(); server.close(() => process.exit(0)); });
