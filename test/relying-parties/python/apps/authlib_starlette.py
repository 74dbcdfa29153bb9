"""Authlib in Starlette, as docs.authlib.org has "Starlette OAuth Client"."""

import uvicorn
from authlib.integrations.starlette_client import OAuth
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse
from starlette.routing import Route

from setting_up import CLIENT_ID, CLIENT_SECRET, METADATA, PORT, end_session_url

oauth = OAuth()
oauth.register(
    name='gatehouse',
    client_id=CLIENT_ID,
    client_secret=CLIENT_SECRET,
    server_metadata_url=METADATA,
    client_kwargs={'scope': 'openid profile email offline_access'},
)


async def home(_request):
    return PlainTextResponse('signed out')


async def login(request):
    return await oauth.gatehouse.authorize_redirect(request, request.url_for('callback'))


async def callback(request):
    token = await oauth.gatehouse.authorize_access_token(request)
    request.session['person'] = dict(token['userinfo'])
    request.session['kept'] = {name: token[name] for name in ('refresh_token', 'id_token')}
    return RedirectResponse('/me')


async def me(request):
    person = request.session.get('person')
    return JSONResponse(person, 200 if person else 401)


async def refresh(request):
    kept = request.session['kept']
    token = await oauth.gatehouse.fetch_access_token(
        grant_type='refresh_token', refresh_token=kept['refresh_token']
    )
    request.session['kept'] = {**kept, 'refresh_token': token['refresh_token']}
    return RedirectResponse('/me')


async def logout(request):
    id_token = request.session['kept']['id_token']
    request.session.clear()
    return RedirectResponse(end_session_url(id_token))


app = Starlette(
    middleware=[Middleware(SessionMiddleware, secret_key='of a test')],
    routes=[
        Route(f'/{view.__name__}' if view is not home else '/', view)
        for view in (home, login, callback, me, refresh, logout)
    ],
)
uvicorn.run(app, host='localhost', port=PORT, forwarded_allow_ips='*', log_level='warning')
