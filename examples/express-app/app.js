import express from 'express'
import * as oidc from 'openid-client'
import { page } from './page.js'
import { sessions } from './sessions.js'

const { OIDC_ISSUER, OIDC_CLIENT_ID, OIDC_CLIENT_SECRET, OIDC_REDIRECT_URI } = process.env
if (!OIDC_ISSUER || !OIDC_CLIENT_ID || !OIDC_CLIENT_SECRET || !OIDC_REDIRECT_URI)
  throw new Error('Fill in .env first: see README.md')

const home = new URL('/', OIDC_REDIRECT_URI)
/** Only a server on this very machine may be spoken to without TLS. */
const isLocal = new URL(OIDC_ISSUER).hostname === 'localhost'
const gatehouse = await oidc.discovery(
  new URL(OIDC_ISSUER),
  OIDC_CLIENT_ID,
  {},
  oidc.ClientSecretBasic(OIDC_CLIENT_SECRET),
  {
    execute: isLocal ? [oidc.allowInsecureRequests] : [],
  },
)

const app = express()
app.disable('x-powered-by')
app.use(sessions({ isSecure: home.protocol === 'https:' }))

app.get('/', (req, res) => {
  const { person } = req.session
  if (!person) return res.send(page`<h1>Express example</h1><p><a href="/sign-in">Sign in</a></p>`)
  res.send(page`<h1>Hello, ${person.name}</h1>
    <p>${person.email}</p>
    <form method="post" action="/sign-out"><button>Sign out</button></form>`)
})

/** Sends the person to Gatehouse. State, nonce and PKCE verifier wait in the session for the answer. */
app.get('/sign-in', async (req, res) => {
  const pending = {
    state: oidc.randomState(),
    nonce: oidc.randomNonce(),
    verifier: oidc.randomPKCECodeVerifier(),
  }
  req.session.pending = pending
  const url = oidc.buildAuthorizationUrl(gatehouse, {
    redirect_uri: OIDC_REDIRECT_URI,
    scope: 'openid profile email',
    state: pending.state,
    nonce: pending.nonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(pending.verifier),
    code_challenge_method: 'S256',
  })
  res.redirect(url.href)
})

/** The answer. openid-client checks state, `iss`, nonce, and the ID token with its signature. */
app.get(new URL(OIDC_REDIRECT_URI).pathname, async (req, res) => {
  const { pending } = req.session
  if (!pending) return res.redirect('/sign-in')
  delete req.session.pending
  const tokens = await oidc.authorizationCodeGrant(
    gatehouse,
    new URL(req.originalUrl, OIDC_REDIRECT_URI),
    {
      expectedState: pending.state,
      expectedNonce: pending.nonce,
      pkceCodeVerifier: pending.verifier,
    },
  )
  const { sub, name, email } = await oidc.fetchUserInfo(
    gatehouse,
    tokens.access_token,
    tokens.claims().sub,
  )
  // A new session id at sign-in: whoever planted the old one is left with nothing.
  req.renewSession({ person: { sub, name: name ?? email, email }, idToken: tokens.id_token })
  res.redirect('/')
})

/** Ends the session here, then at Gatehouse. */
app.post('/sign-out', (req, res) => {
  const { idToken } = req.session
  req.renewSession({})
  if (!idToken) return res.redirect('/')
  res.redirect(
    303,
    oidc.buildEndSessionUrl(gatehouse, {
      id_token_hint: idToken,
      post_logout_redirect_uri: home.href,
    }).href,
  )
})

/** What went wrong is for the log; the person is told what to do. Express knows an error handler by its four parameters. */
app.use((error, _req, res, _next) => {
  console.error(error.error ?? error.code ?? 'error', error.error_description ?? error.message)
  const isRefusal = error instanceof oidc.AuthorizationResponseError
  const isDeclined = isRefusal && error.error === 'access_denied'
  res.status(isRefusal || error instanceof oidc.ClientError ? 400 : 500)
  res.send(
    page`<h1>${isDeclined ? 'You declined' : 'That did not work'}</h1><p><a href="/sign-in">Try again</a></p>`,
  )
})

app.listen(Number(home.port) || 8080, 'localhost', () =>
  console.log(`Express example at ${home.href}`),
)
