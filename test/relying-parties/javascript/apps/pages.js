// Serves the pages of apps that live in the browser, with the library as its package has it.
import { join } from 'node:path'
import express from 'express'
import { listen, OIDC_CLIENT_ID, OIDC_ISSUER } from './setting-up.js'

const [, , page] = process.argv
const folder = (name) => join(import.meta.dirname, '../node_modules', name)
const app = express()
app.get('/settings.js', (_req, res) => {
  const settings = { issuer: OIDC_ISSUER, clientId: OIDC_CLIENT_ID }
  res.type('js').send(`export default ${JSON.stringify(settings)}`)
})
app.use('/oidc-client-ts', express.static(join(folder('oidc-client-ts'), 'dist/browser')))
app.use('/keycloak-js', express.static(join(folder('keycloak-js'), 'lib')))
app.get('/', (_req, res) => res.sendFile(join(import.meta.dirname, '../pages', page)))

listen(app)
