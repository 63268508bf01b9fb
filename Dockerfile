# One image for every process: web (the default command), `celery -A scrm worker -Q …`, `celery -A scrm beat`.
FROM python:3.12-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1
WORKDIR /app

COPY requirements/runtime.txt requirements/runtime.txt
RUN pip install --disable-pip-version-check --root-user-action=ignore --require-hashes --no-deps -r requirements/runtime.txt

COPY . .
# A throw-away key: collecting reads the settings but signs nothing.
RUN SECRET_KEY=collectstatic python manage.py collectstatic --noinput \
    && useradd --system --no-create-home scrm \
    && install -d -o scrm var
USER scrm

EXPOSE 8000
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--workers", "1", "--blocking-threads", "32", "scrm.wsgi:application"]
