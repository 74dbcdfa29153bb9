// passport-openidconnect, as its README has it.
import passport from 'passport'
import OpenIDConnectStrategy from 'passport-openidconnect'
import { run } from './passport.js'
import { OIDC_CLIENT_ID, OIDC_CLIENT_SECRET, OIDC_ISSUER, OIDC_REDIRECT_URI } from './setting-up.js'

passport.use(
  new OpenIDConnectStrategy(
    {
      issuer: OIDC_ISSUER,
      authorizationURL: `${OIDC_ISSUER}/auth`,
      tokenURL: `${OIDC_ISSUER}/token`,
      userInfoURL: `${OIDC_ISSUER}/userinfo`,
      clientID: OIDC_CLIENT_ID,
      clientSecret: OIDC_CLIENT_SECRET,
      callbackURL: OIDC_REDIRECT_URI,
      scope: ['profile', 'email'],
    },
    (_issuer, profile, _context, _idToken, cb) =>
      cb(null, { email: profile.emails?.[0]?.value, name: profile.displayName }),
  ),
)

run('openidconnect')
