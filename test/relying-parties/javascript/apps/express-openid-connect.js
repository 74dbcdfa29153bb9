// express-openid-connect, as its EXAMPLES.md has "Obtaining and using a refresh token".
import express from 'express'
import { auth } from 'express-openid-connect'
import { listen, OIDC_CLIENT_ID, OIDC_CLIENT_SECRET, OIDC_ISSUER, ORIGIN } from './setting-up.js'

const app = express()
app.set('trust proxy', true)
app.use(
  auth({
    issuerBaseURL: OIDC_ISSUER,
    baseURL: ORIGIN,
    clientID: OIDC_CLIENT_ID,
    clientSecret: OIDC_CLIENT_SECRET,
    secret: 'a session secret of a test, long enough',
    authRequired: false,
    idpLogout: true,
    authorizationParams: {
      response_type: 'code',
      scope: 'openid profile email offline_access',
    },
  }),
)

app.get('/me', (req, res) => {
  if (!req.oidc.isAuthenticated()) return res.status(401).end()
  res.json(req.oidc.user)
})

app.get('/refresh', async (req, res) => {
  await req.oidc.accessToken.refresh()
  res.redirect('/me')
})

app.get('/', (req, res) => {
  if (req.oidc.isAuthenticated()) return res.redirect('/me')
  res.send('signed out')
})

listen(app)
