import express from 'express'
import session from 'express-session'

/** What `gatehouse client create` printed, and where this app listens. */
export const { OIDC_ISSUER, OIDC_CLIENT_ID, OIDC_CLIENT_SECRET, OIDC_REDIRECT_URI } = process.env
export const ORIGIN = process.env.ORIGIN

/** An app with sessions in memory. */
export function expressApp() {
  const app = express()
  app.set('trust proxy', true)
  app.use(session({ secret: 'of a test', resave: false, saveUninitialized: false }))
  return app
}

/** Says that it can be asked, by the line that the test waits for. */
export function listen(app) {
  app.listen(Number(process.env.PORT), () => console.log(`listening at ${ORIGIN}`))
}
