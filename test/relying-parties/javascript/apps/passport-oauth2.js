// passport-oauth2, as its README has it: an access token, and nothing of the person.
import passport from 'passport'
import OAuth2Strategy from 'passport-oauth2'
import { run } from './passport.js'
import { OIDC_CLIENT_ID, OIDC_CLIENT_SECRET, OIDC_ISSUER, OIDC_REDIRECT_URI } from './setting-up.js'

passport.use(
  new OAuth2Strategy(
    {
      authorizationURL: `${OIDC_ISSUER}/auth`,
      tokenURL: `${OIDC_ISSUER}/token`,
      clientID: OIDC_CLIENT_ID,
      clientSecret: OIDC_CLIENT_SECRET,
      callbackURL: OIDC_REDIRECT_URI,
      scope: ['openid', 'email'],
      state: true,
    },
    async (accessToken, _refreshToken, _profile, cb) => {
      const headers = { authorization: `Bearer ${accessToken}` }
      const answer = await fetch(`${OIDC_ISSUER}/userinfo`, { headers })
      cb(null, await answer.json())
    },
  ),
)

run('oauth2')
