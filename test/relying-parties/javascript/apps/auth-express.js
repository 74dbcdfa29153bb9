// @auth/express with a provider of one's own, as authjs.dev has "Configuring a custom provider".
import { ExpressAuth, getSession } from '@auth/express'
import express from 'express'
import { listen, OIDC_CLIENT_ID, OIDC_CLIENT_SECRET, OIDC_ISSUER } from './setting-up.js'

const config = {
  secret: 'a session secret of a test, long enough',
  trustHost: true,
  providers: [
    {
      id: 'gatehouse',
      name: 'Gatehouse',
      type: 'oidc',
      issuer: OIDC_ISSUER,
      clientId: OIDC_CLIENT_ID,
      clientSecret: OIDC_CLIENT_SECRET,
    },
  ],
}
const app = express()
app.set('trust proxy', true)
app.use(/^\/auth\/(.*)/, ExpressAuth(config))

app.get('/me', async (req, res) => {
  const session = await getSession(req, config)
  if (!session) return res.status(401).end()
  res.json(session.user)
})

app.get('/', (_req, res) => res.redirect('/me'))

listen(app)
