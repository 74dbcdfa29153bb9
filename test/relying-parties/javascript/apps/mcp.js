// @modelcontextprotocol/sdk: a server that demands tokens and a client that gets them, each as the
// SDK's documentation has it ("Authentication", client and server).
import { auth } from '@modelcontextprotocol/sdk/client/auth.js'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { requireBearerAuth } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js'
import {
  getOAuthProtectedResourceMetadataUrl,
  mcpAuthMetadataRouter,
} from '@modelcontextprotocol/sdk/server/auth/router.js'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import express from 'express'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { listen, OIDC_CLIENT_ID, OIDC_ISSUER, OIDC_REDIRECT_URI, ORIGIN } from './setting-up.js'

const MCP = new URL(`${ORIGIN}/mcp`)
const app = express()

const metadata = await fetch(`${OIDC_ISSUER}/.well-known/oauth-authorization-server`)
const oauthMetadata = await metadata.json()
const keys = createRemoteJWKSet(new URL(oauthMetadata.jwks_uri))
app.use(mcpAuthMetadataRouter({ oauthMetadata, resourceServerUrl: MCP }))
const bearer = requireBearerAuth({
  resourceMetadataUrl: getOAuthProtectedResourceMetadataUrl(MCP),
  requiredScopes: ['tools'],
  verifier: {
    async verifyAccessToken(token) {
      const { payload } = await jwtVerify(token, keys, {
        issuer: OIDC_ISSUER,
        audience: MCP.href,
        typ: 'at+jwt',
      })
      const { client_id: clientId, scope, exp: expiresAt, sub } = payload
      return { token, clientId, scopes: scope.split(' '), expiresAt, extra: { sub } }
    },
  },
})
app.post('/mcp', bearer, express.json(), async (req, res) => {
  const server = new McpServer({ name: 'of a test', version: '1.0.0' })
  server.registerTool('whoami', { description: 'who asks' }, ({ authInfo }) => ({
    content: [{ type: 'text', text: authInfo.extra.sub }],
  }))
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined })
  await server.connect(transport)
  await transport.handleRequest(req, res, req.body)
})

/** The one person of this app. */
const stored = {}
const provider = {
  redirectUrl: OIDC_REDIRECT_URI,
  clientMetadata: {
    redirect_uris: [OIDC_REDIRECT_URI],
    client_name: 'MCP',
    scope: 'tools offline_access',
  },
  clientInformation: () => ({ client_id: OIDC_CLIENT_ID }),
  tokens: () => stored.tokens,
  saveTokens: (tokens) => {
    stored.tokens = tokens
  },
  redirectToAuthorization: (url) => {
    stored.away = url.href
  },
  saveCodeVerifier: (verifier) => {
    stored.verifier = verifier
  },
  codeVerifier: () => stored.verifier,
}

app.get('/login', async (_req, res) => {
  await auth(provider, { serverUrl: MCP })
  res.redirect(stored.away)
})

app.get('/callback', async (req, res) => {
  await new StreamableHTTPClientTransport(MCP, { authProvider: provider }).finishAuth(
    req.query.code,
  )
  res.redirect('/me')
})

app.get('/me', async (_req, res) => {
  const client = new Client({ name: 'of a test', version: '1.0.0' })
  await client.connect(new StreamableHTTPClientTransport(MCP, { authProvider: provider }))
  const { content } = await client.callTool({ name: 'whoami' })
  await client.close()
  res.json({ sub: content[0].text })
})

app.get('/refresh', async (_req, res) => {
  await auth(provider, { serverUrl: MCP })
  res.redirect('/me')
})

app.get('/', (_req, res) => res.send('signed out'))

listen(app)
