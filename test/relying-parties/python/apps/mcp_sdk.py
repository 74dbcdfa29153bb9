"""The MCP SDK: a server that demands tokens and a client that gets them, as its documentation has it."""

import asyncio
import time

import httpx2
import jwt
import uvicorn
from mcp import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from mcp.server.mcpserver import MCPServer
from mcp.shared.auth import (
    AuthorizationCodeResult,
    OAuthClientInformationFull,
    OAuthClientMetadata,
)
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse

from setting_up import CLIENT_ID, ISSUER, JWKS, ORIGIN, PORT, REDIRECT_URI

MCP = f'{ORIGIN}/mcp'
keys = jwt.PyJWKClient(JWKS)


class Verifier:
    async def verify_token(self, token):
        try:
            key = await asyncio.to_thread(keys.get_signing_key_from_jwt, token)
            claims = jwt.decode(token, key, ['ES256', 'RS256'], audience=MCP, issuer=ISSUER)
        except jwt.PyJWTError:
            return None
        return AccessToken(
            token=token,
            client_id=claims['client_id'],
            scopes=claims['scope'].split(),
            expires_at=claims['exp'],
            resource=claims['aud'],
            subject=claims['sub'],
        )


server = MCPServer(
    'of a test',
    token_verifier=Verifier(),
    auth=AuthSettings(
        issuer_url=ISSUER,
        resource_server_url=MCP,
        required_scopes=['tools'],
        validate_token_resource=True,
    ),
)


@server.tool()
def whoami() -> str:
    return get_access_token().subject


class Kept:
    """The one person of this app."""

    tokens = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return OAuthClientInformationFull(
            client_id=CLIENT_ID, redirect_uris=[REDIRECT_URI], token_endpoint_auth_method='none'
        )

    async def set_client_info(self, _info):
        raise RuntimeError('it is registered')


class Away:
    """Where the person is sent, and with what they come back."""

    def __init__(self):
        self.url = asyncio.Queue()
        self.answer = asyncio.Queue()
        self.done = None


away = None


async def leave(url):
    await away.url.put(url)


async def come_back():
    return await away.answer.get()


provider = OAuthClientProvider(
    server_url=MCP,
    client_metadata=OAuthClientMetadata(redirect_uris=[REDIRECT_URI]),
    storage=Kept(),
    redirect_handler=leave,
    callback_handler=come_back,
)


async def ask():
    async with (
        httpx2.AsyncClient(auth=provider) as http,
        Client(streamable_http_client(MCP, http_client=http)) as client,
    ):
        return (await client.call_tool('whoami')).content[0].text


@server.custom_route('/login', methods=['GET'])
async def login(_request):
    global away
    away = Away()
    away.done = asyncio.create_task(ask())
    return RedirectResponse(await away.url.get())


@server.custom_route('/callback', methods=['GET'])
async def callback(request):
    await away.answer.put(AuthorizationCodeResult(**request.query_params))
    await away.done
    return RedirectResponse('/me')


@server.custom_route('/me', methods=['GET'])
async def me(_request):
    return JSONResponse({'sub': await ask()})


@server.custom_route('/refresh', methods=['GET'])
async def refresh(_request):
    provider.context.token_expiry_time = time.time() - 1
    return RedirectResponse('/me')


@server.custom_route('/', methods=['GET'])
async def home(_request):
    return PlainTextResponse('signed out')


uvicorn.run(server.streamable_http_app(), host='localhost', port=PORT, log_level='warning')
