// Keycloak, and an app of a realm that has Gatehouse as its identity provider, at one address.
import { spawn } from 'node:child_process'
import { copyFileSync, mkdirSync } from 'node:fs'
import { createServer, request } from 'node:http'
import { createServer as createProbe } from 'node:net'
import { join } from 'node:path'

const { ORIGIN, PORT } = process.env
const KEYCLOAK = join(import.meta.dirname, 'target/keycloak-26.7.3')
const REALM = '/realms/party/protocol/openid-connect'
const inside = await freePort()
mkdirSync(join(KEYCLOAK, 'data/import'), { recursive: true })
copyFileSync(join(import.meta.dirname, 'realm.json'), join(KEYCLOAK, 'data/import/realm.json'))
const options = [
  '--db=dev-mem',
  '--http-enabled=true',
  '--proxy-headers=xforwarded',
  '--cache=local',
]
spawn(
  join(KEYCLOAK, 'bin/kc.sh'),
  ['start-dev', '--import-realm', `--hostname=${ORIGIN}`, `--http-port=${inside}`, ...options],
  { stdio: 'inherit' },
)

/** What the one person of this app has. */
let tokens

const WAYS = {
  '/': (_url, res) => res.end('signed out'),
  '/login'(_url, res) {
    const asked = { response_type: 'code', scope: 'openid email', kc_idp_hint: 'gatehouse' }
    const us = { client_id: 'app', redirect_uri: `${ORIGIN}/callback` }
    leave(res, `${ORIGIN}${REALM}/auth?${new URLSearchParams({ ...us, ...asked })}`)
  },
  async '/callback'(url, res) {
    const answer = await fetch(`http://localhost:${inside}${REALM}/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        code: url.searchParams.get('code'),
        client_id: 'app',
        redirect_uri: `${ORIGIN}/callback`,
      }),
    })
    if (!answer.ok) throw new Error(await answer.text())
    tokens = await answer.json()
    leave(res, `${ORIGIN}/me`)
  },
  '/me'(_url, res) {
    res.statusCode = tokens ? 200 : 401
    const claims = tokens?.id_token.split('.')[1] ?? ''
    res.end(Buffer.from(claims, 'base64url'))
  },
  '/logout'(_url, res) {
    const sent = { id_token_hint: tokens.id_token, post_logout_redirect_uri: `${ORIGIN}/` }
    tokens = undefined
    leave(res, `${ORIGIN}${REALM}/logout?${new URLSearchParams(sent)}`)
  },
}

function leave(res, location) {
  res.writeHead(302, { location }).end()
}

const server = createServer((req, res) => {
  const url = new URL(req.url, ORIGIN)
  const way = WAYS[url.pathname]
  if (!way) return pass(req, res)
  Promise.try(way, url, res).catch((error) => res.writeHead(500).end(error.stack))
})

/** To Keycloak, as a proxy in front of it would. */
function pass(req, res) {
  const headers = { ...req.headers, 'x-forwarded-host': new URL(ORIGIN).host }
  const { method, url: path } = req
  const asked = request({ port: inside, host: 'localhost', method, path, headers }, (answer) => {
    res.writeHead(answer.statusCode, answer.headers)
    answer.pipe(res)
  })
  req.pipe(asked)
}

function freePort() {
  return new Promise((resolve) => {
    const probe = createProbe().listen(0, () => {
      const { port } = probe.address()
      probe.close(() => resolve(port))
    })
  })
}

while (!(await fetch(`http://localhost:${inside}/realms/party`).catch(() => undefined))?.ok)
  await new Promise((resolve) => setTimeout(resolve, 500))
server.listen(Number(PORT))
