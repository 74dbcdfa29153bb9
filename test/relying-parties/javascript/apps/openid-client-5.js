// openid-client 5, as its README has the authorization code flow.
import { generators, Issuer } from 'openid-client-5'
import {
  expressApp,
  listen,
  OIDC_CLIENT_ID,
  OIDC_CLIENT_SECRET,
  OIDC_ISSUER,
  OIDC_REDIRECT_URI,
  ORIGIN,
} from './setting-up.js'

const issuer = await Issuer.discover(OIDC_ISSUER)
const client = new issuer.Client({
  client_id: OIDC_CLIENT_ID,
  client_secret: OIDC_CLIENT_SECRET,
  redirect_uris: [OIDC_REDIRECT_URI],
  response_types: ['code'],
})
const app = expressApp()

app.get('/login', (req, res) => {
  const codeVerifier = generators.codeVerifier()
  req.session.codeVerifier = codeVerifier
  const url = client.authorizationUrl({
    scope: 'openid email profile offline_access',
    code_challenge: generators.codeChallenge(codeVerifier),
    code_challenge_method: 'S256',
  })
  res.redirect(url)
})

app.get('/callback', async (req, res) => {
  const params = client.callbackParams(req)
  req.session.tokens = await client.callback(OIDC_REDIRECT_URI, params, {
    code_verifier: req.session.codeVerifier,
  })
  res.redirect('/me')
})

app.get('/me', async (req, res) => {
  if (!req.session.tokens) return res.status(401).end()
  res.json(await client.userinfo(req.session.tokens.access_token))
})

app.get('/refresh', async (req, res) => {
  const fresh = await client.refresh(req.session.tokens.refresh_token)
  req.session.tokens = { ...req.session.tokens, ...fresh }
  res.redirect('/me')
})

app.get('/logout', (req, res) => {
  const url = client.endSessionUrl({
    id_token_hint: req.session.tokens.id_token,
    post_logout_redirect_uri: `${ORIGIN}/`,
  })
  req.session.destroy(() => res.redirect(url))
})

app.get('/', (_req, res) => res.send('signed out'))

listen(app)
