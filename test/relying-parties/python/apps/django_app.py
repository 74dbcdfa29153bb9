"""A Django project of one file, with users in an SQLite file that ends with the program."""

import tempfile
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIServer, make_server

import django
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse, JsonResponse

from setting_up import PORT


def configure(apps: list[str], middleware: list[str] = (), **others) -> None:
    folder = tempfile.mkdtemp(prefix='gatehouse-django-')
    settings.configure(
        SECRET_KEY='of a test, but long enough for a key of HMAC',
        DEBUG=True,
        ALLOWED_HOSTS=['.example.com'],
        SECURE_PROXY_SSL_HEADER=('HTTP_X_FORWARDED_PROTO', 'https'),
        ROOT_URLCONF='__main__',
        DEFAULT_AUTO_FIELD='django.db.models.AutoField',
        DATABASES={'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': f'{folder}/db'}},
        TEMPLATES=[
            {
                'BACKEND': 'django.template.backends.django.DjangoTemplates',
                'APP_DIRS': True,
                'OPTIONS': {
                    'context_processors': [
                        'django.template.context_processors.request',
                        'django.contrib.auth.context_processors.auth',
                        'django.contrib.messages.context_processors.messages',
                    ]
                },
            }
        ],
        INSTALLED_APPS=[
            'django.contrib.auth',
            'django.contrib.contenttypes',
            'django.contrib.sessions',
            'django.contrib.messages',
            *apps,
        ],
        MIDDLEWARE=[
            'django.contrib.sessions.middleware.SessionMiddleware',
            'django.contrib.auth.middleware.AuthenticationMiddleware',
            'django.contrib.messages.middleware.MessageMiddleware',
            *middleware,
        ],
        LOGIN_REDIRECT_URL='/me',
        LOGOUT_REDIRECT_URL='/',
        **others,
    )
    django.setup()
    call_command('migrate', verbosity=0)


def home(_request):
    return HttpResponse('signed out')


def me(request):
    if not request.user.is_authenticated:
        return HttpResponse(status=401)
    return JsonResponse({'email': request.user.email})


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


def serve() -> None:
    make_server('localhost', PORT, get_wsgi_application(), Server).serve_forever()
