// simple-oauth2, as its README has the authorization code grant, refresh and revocation.
import { AuthorizationCode } from 'simple-oauth2'
import {
  expressApp,
  listen,
  OIDC_CLIENT_ID,
  OIDC_CLIENT_SECRET,
  OIDC_ISSUER,
  OIDC_REDIRECT_URI,
} from './setting-up.js'

const client = new AuthorizationCode({
  client: { id: OIDC_CLIENT_ID, secret: OIDC_CLIENT_SECRET },
  auth: {
    tokenHost: OIDC_ISSUER,
    tokenPath: '/token',
    revokePath: '/token/revocation',
    authorizePath: '/auth',
  },
})
const app = expressApp()

app.get('/login', (req, res) => {
  req.session.state = crypto.randomUUID()
  res.redirect(
    client.authorizeURL({
      redirect_uri: OIDC_REDIRECT_URI,
      scope: 'openid email offline_access',
      state: req.session.state,
    }),
  )
})

app.get('/callback', async (req, res) => {
  if (req.query.state !== req.session.state) return res.status(400).end()
  const token = await client.getToken({ code: req.query.code, redirect_uri: OIDC_REDIRECT_URI })
  req.session.token = token.token
  res.redirect('/me')
})

app.get('/me', async (req, res) => {
  if (!req.session.token) return res.status(401).end()
  const headers = { authorization: `Bearer ${req.session.token.access_token}` }
  const answer = await fetch(`${OIDC_ISSUER}/userinfo`, { headers })
  res.status(answer.status).json(await answer.json())
})

app.get('/refresh', async (req, res) => {
  req.session.token = (await client.createToken(req.session.token).refresh()).token
  res.redirect('/me')
})

app.get('/logout', async (req, res) => {
  await client.createToken(req.session.token).revokeAll()
  req.session.destroy(() => res.redirect('/'))
})

app.get('/', (_req, res) => res.send('signed out'))

listen(app)
