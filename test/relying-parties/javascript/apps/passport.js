import passport from 'passport'
import { expressApp, listen } from './setting-up.js'

/** An app that signs people in by the one strategy it has. */
export function run(strategy) {
  passport.serializeUser((user, done) => done(null, user))
  passport.deserializeUser((user, done) => done(null, user))
  const app = expressApp()
  app.use(passport.session())
  app.get('/login', passport.authenticate(strategy))
  app.get('/callback', passport.authenticate(strategy, { successRedirect: '/me' }))
  app.get('/me', (req, res) => {
    if (!req.user) return res.status(401).end()
    res.json(req.user)
  })
  app.get('/logout', (req, res, next) => {
    req.logout((error) => (error ? next(error) : res.redirect('/')))
  })
  app.get('/', (_req, res) => res.send('signed out'))
  listen(app)
}
