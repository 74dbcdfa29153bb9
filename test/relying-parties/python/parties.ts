import { DOES_ALL, IN_ID_TOKEN, type Party, WEB, WITH_NONCE } from '../party.ts'

const NO_REFRESH = { because: 'it asks again instead of refreshing' }
const python = (app: string) => ['.venv/bin/python', `apps/${app}.py`] as const

const django = {
  ...DOES_ALL,
  refresh: NO_REFRESH,
  signOut: { at: '/logout', ends: 'here' },
} as const

/** In Python, by the same names as in `requirements.txt`. */
export const PARTIES: readonly Party[] = [
  {
    ...DOES_ALL,
    name: 'Authlib in Flask',
    version: '1.9.10',
    create: `${WEB} ${WITH_NONCE} ${IN_ID_TOKEN}`,
    program: python('authlib_flask'),
  },
  {
    ...DOES_ALL,
    name: 'Authlib in Starlette',
    version: '1.9.10',
    create: `${WEB} ${WITH_NONCE} ${IN_ID_TOKEN}`,
    program: python('authlib_starlette'),
  },
  {
    ...django,
    name: 'mozilla-django-oidc',
    version: '5.0.2',
    create: `--redirect {app}/oidc/callback/ ${WITH_NONCE}`,
    program: python('mozilla_django_oidc_app'),
    signIn: '/oidc/authenticate/',
  },
  {
    ...django,
    name: 'django-allauth',
    version: '65.22.1',
    create: '--redirect {app}/accounts/oidc/gatehouse/login/callback/ --pkce optional',
    program: python('django_allauth_app'),
    signIn: '/accounts/oidc/gatehouse/login/',
    signOut: { at: '/accounts/logout/', ends: 'here' },
  },
  {
    ...django,
    name: 'social-auth-core',
    version: '7.0.0',
    create: `--redirect {app}/complete/oidc/ ${WITH_NONCE}`,
    program: python('social_django_app'),
    signIn: '/enter',
  },
  {
    ...DOES_ALL,
    name: "JupyterHub's generic authenticator",
    version: '17.4.0',
    create: '--redirect {app}/hub/oauth_callback',
    program: ['.venv/bin/python', '-m', 'jupyterhub', '-f', 'apps/jupyterhub_config.py'],
    settings: { PYTHONPATH: 'apps' },
    health: '/hub/health',
    signIn: '/hub/oauth_login',
    email: '/hub/home',
    refresh: { because: 'it asks userinfo again instead of refreshing' },
    signOut: { at: '/hub/logout', ends: 'here' },
  },
  {
    ...DOES_ALL,
    name: 'MCP Python SDK',
    version: '2.3.0',
    api: '--identifier {app}/mcp --name Tools --scope tools',
    isLocal: true,
    create:
      '--type native --redirect {app}/callback --resource {app}/mcp --scope tools offline_access',
    program: python('mcp_sdk'),
    email: { because: 'its token is for the MCP server, which learns the sub' },
    signOut: { because: 'the SDK knows none' },
  },
]
