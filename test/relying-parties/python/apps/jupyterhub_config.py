"""JupyterHub with the generic authenticator, as the documentation of oauthenticator has it."""

import socket

from setting_up import (
    AUTHORIZATION,
    CLIENT_ID,
    CLIENT_SECRET,
    PORT,
    REDIRECT_URI,
    TOKEN,
    USERINFO,
)
from traitlets.config import get_config



def free_port():
    with socket.create_server(('127.0.0.1', 0)) as probe:
        return probe.getsockname()[1]


c = get_config()
c.JupyterHub.bind_url = f'http://127.0.0.1:{PORT}'
c.JupyterHub.hub_bind_url = f'http://127.0.0.1:{free_port()}'
c.JupyterHub.db_url = 'sqlite:///:memory:'
c.JupyterHub.cookie_secret = b'a cookie secret of tests only...'
c.JupyterHub.authenticator_class = 'generic-oauth'
c.JupyterHub.spawner_class = 'simple'
c.JupyterHub.redirect_to_server = False
c.ConfigurableHTTPProxy.command = ['node', 'node_modules/.bin/configurable-http-proxy']
c.ConfigurableHTTPProxy.api_url = f'http://127.0.0.1:{free_port()}'
c.ConfigurableHTTPProxy.pid_file = f'/tmp/gatehouse-party-{PORT}.pid'
c.GenericOAuthenticator.client_id = CLIENT_ID
c.GenericOAuthenticator.client_secret = CLIENT_SECRET
c.GenericOAuthenticator.oauth_callback_url = REDIRECT_URI
c.GenericOAuthenticator.authorize_url = AUTHORIZATION
c.GenericOAuthenticator.token_url = TOKEN
c.GenericOAuthenticator.userdata_url = USERINFO
c.GenericOAuthenticator.scope = ['openid', 'email']
c.GenericOAuthenticator.username_claim = 'email'
c.GenericOAuthenticator.allow_all = True
