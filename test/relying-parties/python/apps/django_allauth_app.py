"""django-allauth with its OpenID Connect provider, as docs.allauth.org has it."""

import django_app
from setting_up import CLIENT_ID, CLIENT_SECRET, ISSUER

django_app.configure(
    [
        'django.contrib.sites',
        'allauth',
        'allauth.account',
        'allauth.socialaccount',
        'allauth.socialaccount.providers.openid_connect',
    ],
    ['allauth.account.middleware.AccountMiddleware'],
    SITE_ID=1,
    AUTHENTICATION_BACKENDS=['allauth.account.auth_backends.AuthenticationBackend'],
    SOCIALACCOUNT_PROVIDERS={
        'openid_connect': {
            'APPS': [
                {
                    'provider_id': 'gatehouse',
                    'name': 'Gatehouse',
                    'client_id': CLIENT_ID,
                    'secret': CLIENT_SECRET,
                    'settings': {'server_url': ISSUER},
                }
            ]
        }
    },
)

from django.urls import include, path  # noqa: E402

urlpatterns = [
    path('', django_app.home),
    path('me', django_app.me),
    path('accounts/', include('allauth.urls')),
]
django_app.serve()
