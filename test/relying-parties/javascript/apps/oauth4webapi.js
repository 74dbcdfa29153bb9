// oauth4webapi, as its examples/oidc.ts and examples/refresh_token.ts have it.
import * as oauth from 'oauth4webapi'
import {
  expressApp,
  listen,
  OIDC_CLIENT_ID,
  OIDC_CLIENT_SECRET,
  OIDC_ISSUER,
  OIDC_REDIRECT_URI,
  ORIGIN,
} from './setting-up.js'

const insecure = { [oauth.allowInsecureRequests]: true }
const issuer = new URL(OIDC_ISSUER)
const as = await oauth
  .discoveryRequest(issuer, insecure)
  .then((response) => oauth.processDiscoveryResponse(issuer, response))
const client = { client_id: OIDC_CLIENT_ID }
const clientAuth = oauth.ClientSecretPost(OIDC_CLIENT_SECRET)
const app = expressApp()

app.get('/login', async (req, res) => {
  const codeVerifier = oauth.generateRandomCodeVerifier()
  const nonce = oauth.generateRandomNonce()
  req.session.sent = { codeVerifier, nonce }
  const url = new URL(as.authorization_endpoint)
  url.searchParams.set('client_id', client.client_id)
  url.searchParams.set('redirect_uri', OIDC_REDIRECT_URI)
  url.searchParams.set('response_type', 'code')
  url.searchParams.set('scope', 'openid email offline_access')
  url.searchParams.set('code_challenge', await oauth.calculatePKCECodeChallenge(codeVerifier))
  url.searchParams.set('code_challenge_method', 'S256')
  url.searchParams.set('nonce', nonce)
  res.redirect(url.href)
})

app.get('/callback', async (req, res) => {
  const { codeVerifier, nonce } = req.session.sent
  const params = oauth.validateAuthResponse(as, client, new URL(req.url, ORIGIN))
  const response = await oauth.authorizationCodeGrantRequest(
    as,
    client,
    clientAuth,
    params,
    OIDC_REDIRECT_URI,
    codeVerifier,
    insecure,
  )
  const tokens = await oauth.processAuthorizationCodeResponse(as, client, response, {
    expectedNonce: nonce,
    requireIdToken: true,
  })
  req.session.tokens = { ...tokens, sub: oauth.getValidatedIdTokenClaims(tokens).sub }
  res.redirect('/me')
})

app.get('/me', async (req, res) => {
  const { tokens } = req.session
  if (!tokens) return res.status(401).end()
  const response = await oauth.userInfoRequest(as, client, tokens.access_token, insecure)
  res.json(await oauth.processUserInfoResponse(as, client, tokens.sub, response))
})

app.get('/refresh', async (req, res) => {
  const { tokens } = req.session
  const response = await oauth.refreshTokenGrantRequest(
    as,
    client,
    clientAuth,
    tokens.refresh_token,
    insecure,
  )
  const fresh = await oauth.processRefreshTokenResponse(as, client, response)
  req.session.tokens = { ...tokens, ...fresh }
  res.redirect('/me')
})

app.get('/logout', (req, res) => {
  const url = new URL(as.end_session_endpoint)
  url.searchParams.set('id_token_hint', req.session.tokens.id_token)
  url.searchParams.set('post_logout_redirect_uri', `${ORIGIN}/`)
  req.session.destroy(() => res.redirect(url.href))
})

app.get('/', (_req, res) => res.send('signed out'))

listen(app)
