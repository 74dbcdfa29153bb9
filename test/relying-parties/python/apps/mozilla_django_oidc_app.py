"""mozilla-django-oidc, as its documentation has "Installation"."""

import django_app
from setting_up import AUTHORIZATION, CLIENT_ID, CLIENT_SECRET, JWKS, TOKEN, USERINFO

django_app.configure(
    ['mozilla_django_oidc'],
    AUTHENTICATION_BACKENDS=['mozilla_django_oidc.auth.OIDCAuthenticationBackend'],
    OIDC_RP_CLIENT_ID=CLIENT_ID,
    OIDC_RP_CLIENT_SECRET=CLIENT_SECRET,
    OIDC_OP_AUTHORIZATION_ENDPOINT=AUTHORIZATION,
    OIDC_OP_TOKEN_ENDPOINT=TOKEN,
    OIDC_OP_USER_ENDPOINT=USERINFO,
    OIDC_RP_SIGN_ALGO='RS256',
    OIDC_OP_JWKS_ENDPOINT=JWKS,
)

from django.contrib.auth import logout  # noqa: E402
from django.shortcuts import redirect  # noqa: E402
from django.urls import include, path  # noqa: E402


def leave(request):
    logout(request)
    return redirect('/')


urlpatterns = [
    path('', django_app.home),
    path('me', django_app.me),
    path('logout', leave),
    path('oidc/', include('mozilla_django_oidc.urls')),
]
django_app.serve()
