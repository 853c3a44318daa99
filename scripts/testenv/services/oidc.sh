# An OpenID provider (oidc-provider) for tests of signing in to the pages.
OIDC_CLIENT=provhub
OIDC_SECRET=${PROVHUB_TEST_OIDC_CLIENT_SECRET:-provhub-test-secret-0123456789abcdef}
OIDC_REDIRECTS=${PROVHUB_TEST_OIDC_REDIRECT_URIS:-http://127.0.0.1/signin/oidc/callback}

svc_install() { have curl || apt_need curl; npm_need "$TESTENV_HOME/oidc"; }
svc_start() {
  local p; p=$(choose_port OIDC 13556) || return 1
  cp "$TESTENV_HOME/oidc/server.mjs" "$D/server.mjs"
  cd "$D"
  spawn env PORT="$p" CLIENT_ID=$OIDC_CLIENT CLIENT_SECRET="$OIDC_SECRET" REDIRECT_URIS="$OIDC_REDIRECTS" node server.mjs
  wait_port "$p" || return 1
  {
    env_var PROVHUB_TEST_OIDC_ISSUER "http://127.0.0.1:$p"
    env_var PROVHUB_TEST_OIDC_CLIENT_ID $OIDC_CLIENT
    env_var PROVHUB_TEST_OIDC_CLIENT_SECRET "$OIDC_SECRET"
    env_var PROVHUB_TEST_OIDC_REDIRECT_URIS "$OIDC_REDIRECTS"
  } >"$D/env"
}
svc_check() {
  local i=http://127.0.0.1:$(port_of OIDC) r=${OIDC_REDIRECTS%%,*} c=(curl -fsS --noproxy '*') u=$D/check.jar
  rm -f "$u"
  "${c[@]}" "$i/.well-known/openid-configuration" | found "\"issuer\":\"$i\"" &&
  "${c[@]}" -L -c "$u" -b "$u" -G "$i/auth" -d client_id=$OIDC_CLIENT -d response_type=code -d scope=openid \
    --data-urlencode "redirect_uri=$r" -d state=x -d code_challenge_method=S256 \
    -d code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM | found 'name="login"'
}
