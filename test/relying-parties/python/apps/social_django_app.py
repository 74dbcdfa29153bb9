"""social-auth-core in Django with its OpenID Connect backend, as its documentation has it."""

import django_app
from setting_up import CLIENT_ID, CLIENT_SECRET, ISSUER

django_app.configure(
    ['social_django'],
    AUTHENTICATION_BACKENDS=['social_core.backends.open_id_connect.OpenIdConnectAuth'],
    SOCIAL_AUTH_OIDC_OIDC_ENDPOINT=ISSUER,
    SOCIAL_AUTH_OIDC_KEY=CLIENT_ID,
    SOCIAL_AUTH_OIDC_SECRET=CLIENT_SECRET,
)

from django.contrib.auth import logout  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.shortcuts import redirect  # noqa: E402
from django.urls import include, path  # noqa: E402


def enter(_request):
    return HttpResponse('<form method="post" action="/login/oidc/"><button>Sign in</button></form>')


def leave(request):
    logout(request)
    return redirect('/')


urlpatterns = [
    path('', django_app.home),
    path('me', django_app.me),
    path('enter', enter),
    path('logout', leave),
    path('', include('social_django.urls', namespace='social')),
]
django_app.serve()
