"""Authlib in Flask, as docs.authlib.org has "Flask OpenID Connect Client"."""

from authlib.integrations.flask_client import OAuth
from flask import Flask, redirect, session, url_for
from werkzeug.middleware.proxy_fix import ProxyFix

from setting_up import CLIENT_ID, CLIENT_SECRET, METADATA, PORT, end_session_url

app = Flask(__name__)
app.wsgi_app = ProxyFix(app.wsgi_app)
app.secret_key = 'of a test'
app.config['GATEHOUSE_CLIENT_ID'] = CLIENT_ID
app.config['GATEHOUSE_CLIENT_SECRET'] = CLIENT_SECRET
oauth = OAuth(app)
oauth.register(
    name='gatehouse',
    server_metadata_url=METADATA,
    client_kwargs={'scope': 'openid profile email offline_access'},
)


@app.get('/')
def home():
    return 'signed out'


@app.get('/login')
def login():
    return oauth.gatehouse.authorize_redirect(url_for('callback', _external=True))


@app.get('/callback')
def callback():
    token = oauth.gatehouse.authorize_access_token()
    session['person'] = token['userinfo']
    session['kept'] = {name: token[name] for name in ('refresh_token', 'id_token')}
    return redirect('/me')


@app.get('/me')
def me():
    return (dict(session['person']), 200) if 'person' in session else ('', 401)


@app.get('/refresh')
def refresh():
    kept = session['kept']
    token = oauth.gatehouse.fetch_access_token(
        grant_type='refresh_token', refresh_token=kept['refresh_token']
    )
    session['kept'] = {**kept, 'refresh_token': token['refresh_token']}
    return redirect('/me')


@app.get('/logout')
def logout():
    id_token = session['kept']['id_token']
    session.clear()
    return redirect(end_session_url(id_token))


app.run(host='localhost', port=PORT)
