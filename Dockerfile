# One image for every process: web (the default command), `celery -A scrm worker -Q …`, `celery -A scrm beat`, commands.
FROM python:3.12-slim-trixie

# pg_dump and pg_restore for `manage.py backup` and `restore`: not older than the server in docker-compose.yml.
RUN apt-get update \
    && apt-get install -y --no-install-recommends postgresql-client-17 \
    && rm -rf /var/lib/apt/lists/*

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1
WORKDIR /app

COPY requirements/runtime.txt requirements/runtime.txt
RUN pip install --disable-pip-version-check --root-user-action=ignore --require-hashes --no-deps --compile -r requirements/runtime.txt

COPY . .
# A throw-away key: collecting reads the settings but signs nothing. The user's number is fixed, so that the owner of
# mounted folders can be set outside; the code belongs to root and can't be changed by the processes.
RUN SECRET_KEY=collectstatic python manage.py collectstatic --noinput \
    && python -m compileall -q scrm contacts groups campaigns analytics \
    && useradd --system --uid 10001 --no-create-home scrm \
    && install -d -o scrm -m 700 var backups
USER scrm

EXPOSE 8000
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--workers", "1", "--blocking-threads", "1024", "scrm.wsgi:application"]
