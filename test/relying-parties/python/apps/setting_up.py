"""What `gatehouse client create` printed, and where this app listens."""

import os
from urllib.parse import urlencode

ISSUER = os.environ['OIDC_ISSUER']
CLIENT_ID = os.environ['OIDC_CLIENT_ID']
CLIENT_SECRET = os.environ.get('OIDC_CLIENT_SECRET')
REDIRECT_URI = os.environ['OIDC_REDIRECT_URI']
ORIGIN = os.environ['ORIGIN']
PORT = int(os.environ['PORT'])
METADATA = f'{ISSUER}/.well-known/openid-configuration'
AUTHORIZATION = f'{ISSUER}/auth'
TOKEN = f'{ISSUER}/token'
USERINFO = f'{ISSUER}/userinfo'
JWKS = f'{ISSUER}/jwks'


def end_session_url(id_token: str) -> str:
    sent = {'id_token_hint': id_token, 'post_logout_redirect_uri': f'{ORIGIN}/'}
    return f'{ISSUER}/session/end?{urlencode(sent)}'
