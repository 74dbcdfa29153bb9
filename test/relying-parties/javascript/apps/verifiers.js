// Libraries that verify access tokens of an API, each as its README has it.
import express from 'express'
import { expressjwt } from 'express-jwt'
import { createVerifier } from 'fast-jwt'
import buildGetJwks from 'get-jwks'
import jwksRsa from 'jwks-rsa'
import { listen, OIDC_ISSUER, ORIGIN } from './setting-up.js'

const app = express()
const API = `${ORIGIN}/api`

app.get(
  '/express-jwt',
  expressjwt({
    secret: jwksRsa.expressJwtSecret({
      cache: true,
      rateLimit: true,
      jwksRequestsPerMinute: 5,
      jwksUri: `${OIDC_ISSUER}/.well-known/jwks.json`,
    }),
    audience: API,
    issuer: OIDC_ISSUER,
    algorithms: ['RS256'],
  }),
  (req, res) => res.json({ scope: req.auth.scope }),
)

const getJwks = buildGetJwks({ issuersWhitelist: [OIDC_ISSUER] })
const verify = createVerifier({
  key: ({ header: { kid, alg } }) => getJwks.getPublicKey({ kid, domain: OIDC_ISSUER, alg }),
  allowedIss: OIDC_ISSUER,
  allowedAud: API,
})
app.get('/get-jwks', async (req, res) => {
  const payload = await verify(req.headers.authorization.replace('Bearer ', ''))
  res.json({ scope: payload.scope })
})

app.use((error, _req, res, _next) => res.status(401).json({ error: error.message }))

listen(app)
