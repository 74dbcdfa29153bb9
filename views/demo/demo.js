// A relying party in one file: authorization code with PKCE, nothing but the browser's own APIs.
const ISSUER = location.origin
const CLIENT_ID = 'demo'
const REDIRECT_URI = `${ISSUER}/demo`
const API = `${ISSUER}/demo/api`
const SCOPE = 'openid profile email offline_access demo:read'
const PENDING = 'demo.pending'

const $ = (id) => document.getElementById(id)
/** Tokens live here and nowhere else, so that no other script or later visitor of this browser finds them. */
let tokens
let metadata

start().catch(fail)

async function start() {
  const answer = new URLSearchParams(location.search)
  if (location.search) history.replaceState(null, '', '/demo')
  for (const [id, act] of Object.entries({
    'sign-in': signIn,
    'call-api': callApi,
    'call-userinfo': callUserinfo,
    refresh: refreshAll,
    'sign-out': signOut,
  }))
    $(id).addEventListener('click', () => {
      once(act).catch(fail)
    })
  metadata = await json('GET', `${ISSUER}/.well-known/openid-configuration`)
  show()
  if (answer.has('code') || answer.has('error')) await finish(answer)
  else if (answer.has('state')) say('You have signed out.')
}

/** One thing at a time: a refresh token that is sent twice is a refresh token that was stolen. */
async function once(act) {
  const buttons = document.querySelectorAll('button')
  for (const button of buttons) button.disabled = true
  try {
    await act()
  } finally {
    for (const button of buttons) button.disabled = false
  }
}

async function signIn() {
  const pending = { state: random(), nonce: random(), verifier: random() }
  sessionStorage.setItem(PENDING, JSON.stringify(pending))
  const challenge = base64url(
    await crypto.subtle.digest('SHA-256', new TextEncoder().encode(pending.verifier)),
  )
  location.assign(
    withQuery(metadata.authorization_endpoint, {
      client_id: CLIENT_ID,
      redirect_uri: REDIRECT_URI,
      response_type: 'code',
      scope: SCOPE,
      resource: API,
      // Without this prompt the standard has no offline access, hence no refresh token (OIDC Core 11).
      prompt: 'consent',
      state: pending.state,
      nonce: pending.nonce,
      code_challenge: challenge,
      code_challenge_method: 'S256',
    }),
  )
}

async function finish(answer) {
  const pending = JSON.parse(sessionStorage.getItem(PENDING) ?? 'null')
  sessionStorage.removeItem(PENDING)
  note('GET', '/demo?…', answer.has('code') ? 'code' : answer.get('error'))
  if (!pending || answer.get('state') !== pending.state)
    throw new Error('This answer belongs to no request of this tab (state).')
  if (answer.get('iss') !== ISSUER)
    throw new Error('This answer is from another server (iss, RFC 9207).')
  if (answer.has('error')) {
    say(
      answer.get('error') === 'access_denied'
        ? 'You declined. Nothing was shared.'
        : `${answer.get('error')}: ${answer.get('error_description') ?? ''}`,
    )
    return
  }
  tokens = await grant({
    grant_type: 'authorization_code',
    code: answer.get('code'),
    redirect_uri: REDIRECT_URI,
    code_verifier: pending.verifier,
  })
  checkIdToken(tokens.id_token, pending.nonce)
  show()
  $('title').focus()
}

/** OIDC Core 3.1.3.7. The token came from the token endpoint itself, so its signature proves nothing more. */
function checkIdToken(token, nonce) {
  const { iss, aud, exp, nonce: returned } = decode(token).claims
  const isRight =
    iss === ISSUER && aud === CLIENT_ID && exp > Date.now() / 1000 && returned === nonce
  if (!isRight) throw new Error('The ID token is not for this app and this request.')
}

async function callApi() {
  present(
    `GET ${API}/hello`,
    await json('GET', `${API}/hello`, {
      headers: { authorization: `Bearer ${tokens.access_token}` },
    }),
  )
}

/** The token at hand is for the API alone, so userinfo gets one of its own: a refresh that asks for the person only. */
async function callUserinfo() {
  const { access_token: token, refresh_token: next } = await grant({
    grant_type: 'refresh_token',
    refresh_token: tokens.refresh_token,
    scope: 'openid profile email',
  })
  tokens = { ...tokens, refresh_token: next }
  present(
    `GET ${metadata.userinfo_endpoint}`,
    await json('GET', metadata.userinfo_endpoint, {
      headers: { authorization: `Bearer ${token}` },
    }),
  )
  show()
}

async function refreshAll() {
  tokens = {
    ...tokens,
    ...(await grant({ grant_type: 'refresh_token', refresh_token: tokens.refresh_token })),
  }
  say('New tokens. The refresh token before is spent: using it again would end this whole grant.')
  show()
}

async function signOut() {
  location.assign(
    withQuery(metadata.end_session_endpoint, {
      id_token_hint: tokens.id_token,
      post_logout_redirect_uri: REDIRECT_URI,
      state: random(),
    }),
  )
}

function grant(parameters) {
  return json('POST', metadata.token_endpoint, {
    body: new URLSearchParams({ client_id: CLIENT_ID, ...parameters }),
  })
}

async function json(method, url, init = {}) {
  const response = await fetch(url, { method, credentials: 'omit', ...init })
  note(method, new URL(url).pathname, response.status)
  const body = await response.json()
  if (!response.ok)
    throw new Error(
      `${body.error ?? response.status}: ${body.error_description ?? 'the request failed'}`,
    )
  return body
}

// ---- The page

function show() {
  const isSignedIn = tokens !== undefined
  $('signed-out').hidden = isSignedIn
  for (const id of ['signed-in', 'tokens']) $(id).hidden = !isSignedIn
  if (!isSignedIn) return
  const { name, email } = decode(tokens.id_token).claims
  $('title').textContent = `Hello, ${name ?? 'you'}`
  $('lead').textContent =
    `Signed in as ${email}. This app holds three tokens; each opens something else.`
  $('token-list').replaceChildren(
    card('ID token', 'who signed in, for this app', tokens.id_token),
    card('Access token', 'for the demo API, a JWT of RFC 9068', tokens.access_token),
    card('Refresh token', 'for new tokens, once', tokens.refresh_token),
  )
}

function card(title, purpose, token) {
  const body = token?.split('.').length === 3 ? pretty(decode(token)) : `${token ?? 'none'}`
  const summary = element('summary', {}, title, ' ', element('small', {}, purpose))
  return element(
    'details',
    { className: 'token', open: true },
    summary,
    element('pre', { className: 'block' }, body),
  )
}

function present(title, body) {
  $('answer').hidden = false
  $('answer-title').textContent = title
  $('answer').querySelector('pre').textContent = pretty(body)
  say('')
}

function say(text) {
  $('status').hidden = text === ''
  $('status').textContent = text
}

function fail(error) {
  say(error.message)
}

function note(method, path, outcome) {
  $('log').hidden = false
  $('log-list').append(
    element(
      'li',
      {},
      element('span', {}, `${method} ${path}`),
      element('span', { className: 'muted' }, String(outcome)),
    ),
  )
}

function element(tag, properties, ...children) {
  const node = Object.assign(document.createElement(tag), properties)
  node.append(...children)
  return node
}

// ---- Small things

const pretty = (value) => JSON.stringify(value, null, 2)
const base64url = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replace(/\+/g, '-')
    .replace(/\//g, '_')
    .replace(/=+$/, '')
const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)))
const withQuery = (url, parameters) => `${url}?${new URLSearchParams(parameters)}`

function decode(jwt) {
  const [header, claims] = jwt.split('.', 2).map((part) => {
    const bytes = Uint8Array.from(atob(part.replace(/-/g, '+').replace(/_/g, '/')), (character) =>
      character.charCodeAt(0),
    )
    return JSON.parse(new TextDecoder().decode(bytes))
  })
  return { header, claims }
}
