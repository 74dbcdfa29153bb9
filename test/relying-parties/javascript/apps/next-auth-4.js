// next-auth 4 with a provider of one's own, as next-auth.js.org has "Using a custom provider".
import express from 'express'
import nextAuth from 'next-auth'
import { listen, OIDC_CLIENT_ID, OIDC_CLIENT_SECRET, OIDC_ISSUER, ORIGIN } from './setting-up.js'

const { default: NextAuth } = nextAuth
process.env.NEXTAUTH_URL = ORIGIN
const options = {
  secret: 'a session secret of a test, long enough',
  providers: [
    {
      id: 'gatehouse',
      name: 'Gatehouse',
      type: 'oauth',
      wellKnown: `${OIDC_ISSUER}/.well-known/openid-configuration`,
      authorization: { params: { scope: 'openid email profile' } },
      idToken: true,
      checks: ['pkce', 'state'],
      clientId: OIDC_CLIENT_ID,
      clientSecret: OIDC_CLIENT_SECRET,
      profile: (profile) => ({ id: profile.sub, name: profile.name, email: profile.email }),
    },
  ],
}
const app = express()
app.set('trust proxy', true)
app.use(express.urlencoded({ extended: false }), express.json())
app.all('/api/auth/*nextauth', (req, res) => {
  // What the router of Next.js gives to the handler.
  const { path, query } = req
  const nextauth = path.replace('/api/auth/', '').split('/')
  const cookies = Object.fromEntries(
    (req.headers.cookie ?? '').split('; ').map((pair) => {
      const [name, ...value] = pair.split('=')
      return [name, decodeURIComponent(value.join('='))]
    }),
  )
  return NextAuth({ ...pick(req), query: { ...query, nextauth }, cookies }, res, options)
})

function pick({ method, headers, body, url }) {
  return { method, headers, body, url }
}

app.get('/', (_req, res) => res.redirect('/api/auth/session'))

listen(app)
