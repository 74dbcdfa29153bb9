// openid-client 6, as its README has the authorization code flow.
import * as client from 'openid-client'
import {
  expressApp,
  listen,
  OIDC_CLIENT_ID,
  OIDC_CLIENT_SECRET,
  OIDC_ISSUER,
  OIDC_REDIRECT_URI,
  ORIGIN,
} from './setting-up.js'

const config = await client.discovery(
  new URL(OIDC_ISSUER),
  OIDC_CLIENT_ID,
  OIDC_CLIENT_SECRET,
  undefined,
  { execute: [client.allowInsecureRequests] },
)
const app = expressApp()

app.get('/login', async (req, res) => {
  const codeVerifier = client.randomPKCECodeVerifier()
  const state = client.randomState()
  req.session.sent = { codeVerifier, state }
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: OIDC_REDIRECT_URI,
    scope: 'openid email offline_access',
    code_challenge: await client.calculatePKCECodeChallenge(codeVerifier),
    code_challenge_method: 'S256',
    state,
  })
  res.redirect(url.href)
})

app.get('/callback', async (req, res) => {
  const { codeVerifier, state } = req.session.sent
  const tokens = await client.authorizationCodeGrant(config, new URL(req.url, ORIGIN), {
    pkceCodeVerifier: codeVerifier,
    expectedState: state,
    idTokenExpected: true,
  })
  req.session.tokens = { ...tokens, sub: tokens.claims().sub }
  res.redirect('/me')
})

app.get('/me', async (req, res) => {
  const { tokens } = req.session
  if (!tokens) return res.status(401).end()
  res.json(await client.fetchUserInfo(config, tokens.access_token, tokens.sub))
})

app.get('/refresh', async (req, res) => {
  const { tokens } = req.session
  const fresh = await client.refreshTokenGrant(config, tokens.refresh_token)
  req.session.tokens = { ...tokens, ...fresh }
  res.redirect('/me')
})

app.get('/logout', (req, res) => {
  const url = client.buildEndSessionUrl(config, {
    id_token_hint: req.session.tokens.id_token,
    post_logout_redirect_uri: `${ORIGIN}/`,
  })
  req.session.destroy(() => res.redirect(url.href))
})

app.get('/', (_req, res) => res.send('signed out'))

listen(app)
