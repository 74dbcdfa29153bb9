// grant, as its README has a custom provider.
import grant from 'grant'
import {
  expressApp,
  listen,
  OIDC_CLIENT_ID,
  OIDC_CLIENT_SECRET,
  OIDC_ISSUER,
  ORIGIN,
} from './setting-up.js'

const app = expressApp()
app.use(
  grant.express({
    defaults: { origin: ORIGIN, transport: 'session', state: true },
    gatehouse: {
      authorize_url: `${OIDC_ISSUER}/auth`,
      access_url: `${OIDC_ISSUER}/token`,
      profile_url: `${OIDC_ISSUER}/userinfo`,
      oauth: 2,
      key: OIDC_CLIENT_ID,
      secret: OIDC_CLIENT_SECRET,
      scope: ['openid', 'email'],
      scope_delimiter: ' ',
      response: ['tokens', 'profile'],
      callback: '/signed-in',
    },
  }),
)

app.get('/signed-in', (req, res) => {
  req.session.person = req.session.grant.response.profile
  res.redirect('/me')
})

app.get('/me', (req, res) => {
  if (!req.session.person) return res.status(401).end()
  res.json(req.session.person)
})

app.get('/logout', (req, res) => req.session.destroy(() => res.redirect('/')))

app.get('/', (_req, res) => res.send('signed out'))

listen(app)
