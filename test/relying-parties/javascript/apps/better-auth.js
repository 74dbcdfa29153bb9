// better-auth with its generic OAuth plugin, as better-auth.com has it.
import { betterAuth } from 'better-auth'
import { memoryAdapter } from 'better-auth/adapters/memory'
import { fromNodeHeaders, toNodeHandler } from 'better-auth/node'
import { genericOAuth } from 'better-auth/plugins'
import express from 'express'
import { listen, OIDC_CLIENT_ID, OIDC_CLIENT_SECRET, OIDC_ISSUER, ORIGIN } from './setting-up.js'

const auth = betterAuth({
  baseURL: ORIGIN,
  secret: 'a session secret of a test, long enough',
  telemetry: { enabled: false },
  database: memoryAdapter({ user: [], session: [], account: [], verification: [] }),
  plugins: [
    genericOAuth({
      config: [
        {
          providerId: 'gatehouse',
          clientId: OIDC_CLIENT_ID,
          clientSecret: OIDC_CLIENT_SECRET,
          discoveryUrl: `${OIDC_ISSUER}/.well-known/openid-configuration`,
          scopes: ['openid', 'email', 'profile', 'offline_access'],
        },
      ],
    }),
  ],
})
const app = express()
app.set('trust proxy', true)
app.all('/api/auth/*splat', toNodeHandler(auth))

app.get('/login', async (_req, res) => {
  const answer = await auth.api.signInSocial({
    body: { provider: 'gatehouse', callbackURL: '/me' },
    asResponse: true,
  })
  for (const cookie of answer.headers.getSetCookie()) res.append('set-cookie', cookie)
  res.redirect((await answer.json()).url)
})

app.get('/me', async (req, res) => {
  const session = await auth.api.getSession({ headers: fromNodeHeaders(req.headers) })
  if (!session) return res.status(401).end()
  res.json(session.user)
})

app.get('/refresh', async (req, res) => {
  const headers = fromNodeHeaders(req.headers)
  const [account] = await auth.api.listUserAccounts({ headers })
  await auth.api.refreshToken({ body: { accountId: account.id }, headers })
  res.redirect('/me')
})

app.get('/logout', async (req, res) => {
  const answer = await auth.api.signOut({
    headers: fromNodeHeaders(req.headers),
    asResponse: true,
  })
  for (const cookie of answer.headers.getSetCookie()) res.append('set-cookie', cookie)
  res.redirect('/')
})

app.get('/', (_req, res) => res.send('signed out'))

listen(app)
