# The image of my-project: the interpreter, the dependencies and the app, and not one file more.
#
# Made by "invoke dockerfile" from the project's settings: change those, and make it anew.
# It wants BuildKit, which Docker builds with by itself since version 23 and with DOCKER_BUILDKIT=1 before:
#
#     docker build --tag my-project:latest .

# A tag can mean another image tomorrow; "invoke dockerfile --pin" adds the digest that it means today.
ARG BASE=python:3.11-slim

# Dependencies: a stage of its own, before any source is copied, so that it runs again only when they change.
FROM ${BASE} AS dependencies
WORKDIR /build
# For another package index: docker build --build-arg PIP_INDEX_URL=https://index.example/simple
ARG PIP_INDEX_URL
COPY requirements.txt ./
# What pip downloads is kept between builds in a cache that is no part of the image. Only wheels are taken, so that
# nobody's setup.py runs; commands that they bring along are no part of the app.
RUN --mount=type=cache,target=/root/.cache/pip \
    python3 -m pip install --root=/dependencies --ignore-installed --no-compile --only-binary=:all: \
      --disable-pip-version-check --no-warn-script-location --root-user-action=ignore \
      --require-hashes --requirement requirements.txt \
 && rm -rf /dependencies/usr/local/bin
# Bytecode takes the place of the sources: x.pyc is loaded as x.py would be (PEP 3147), and never goes stale (PEP 552).
# A file that is no Python stays as it is.
RUN python3 -m compileall -b -q --invalidation-mode unchecked-hash -s /dependencies /dependencies || true \
 && find /dependencies -name '*.py' -exec sh -c 'for source; do if [ -e "${source}c" ]; then rm "$source"; fi; done' - {} +

# Runtime: the interpreter, and of the standard library what a program in a container has a use for.
FROM ${BASE} AS runtime
WORKDIR /image/usr/local/lib/python3.11
RUN mkdir -p /image/usr/local/bin \
 && cp -a /usr/local/bin/python3.11 /usr/local/bin/python3 /usr/local/bin/python /image/usr/local/bin/ \
 && cp -a /usr/local/lib/python3.11/. . \
 && rm -rf site-packages config-* lib-dynload/_tkinter.* idlelib* test* tkinter* turtle* turtledemo* lib-dynload/_test* lib-dynload/_xx* lib-dynload/xx* LICENSE.txt \
 && find . -depth \( -name __pycache__ -o -name test -o -name tests -o -name idle_test \) -exec rm -rf {} +
# Bytecode takes the place of the sources: x.pyc is loaded as x.py would be (PEP 3147), and never goes stale (PEP 552).
# A file that is no Python stays as it is.
RUN python3 -m compileall -b -q --invalidation-mode unchecked-hash -s /image . || true \
 && find . -name '*.py' -exec sh -c 'for source; do if [ -e "${source}c" ]; then rm "$source"; fi; done' - {} +
# Every shared library that the loader would look for goes into one folder where it is sure to look: the C library's.
COPY --from=dependencies /dependencies/ /dependencies/
RUN find /image /dependencies -type f \( -name '*.so' -o -name '*.so.*' -o -name python3.11 \) -exec ldd {} + >/tmp/needed \
 && ! grep 'not found' /tmp/needed \
 && libraries="/image$(dirname "$(awk '$1 ~ "^libc[.]" {print $3; exit}' /tmp/needed)")" \
 && mkdir -p "$libraries" \
 && awk '$3 ~ "^/" && $3 !~ "^/(image|dependencies|native)/" {print $3}' /tmp/needed >/tmp/libraries \
 && while read -r library; do cp -uL "$library" "$libraries/"; done </tmp/libraries \
 && loader="$(awk '$1 ~ "^/.*/ld-" {print $1; exit}' /tmp/needed)" \
 && install -D "$loader" "/image$loader" \
 && mkdir -p /image/usr/lib/locale \
 && if [ -d /usr/lib/locale/C.utf8 ]; then cp -a /usr/lib/locale/C.utf8 /image/usr/lib/locale/; fi

# What programs expect of a system: users by name, a way to look up hosts, certificates, a place for temporary files.
WORKDIR /image
RUN mkdir -p etc/ssl/certs \
 && mkdir -m 1777 tmp \
 && printf '%s\n' 'root:x:0:0:root:/root:/sbin/nologin' app:x:65535:65535:app:/tmp:/sbin/nologin >etc/passwd \
 && printf '%s\n' 'root:x:0:' app:x:65535: >etc/group \
 && printf '%s\n' 'passwd: files' 'group: files' 'hosts: files dns' >etc/nsswitch.conf \
 && for name in services protocols; do if [ -f "/etc/$name" ]; then cp "/etc/$name" etc/; fi; done \
 && cp /etc/ssl/certs/ca-certificates.crt etc/ssl/certs/

# The app, without its sources.
FROM ${BASE} AS app
WORKDIR /image/app
COPY main.py ./main.py
COPY my_project/ ./my_project/
# Bytecode takes the place of the sources: x.pyc is loaded as x.py would be (PEP 3147), and never goes stale (PEP 552).
# A file that is no Python stays as it is.
RUN python3 -m compileall -b -q --invalidation-mode unchecked-hash -s /image . || true \
 && find . -name '*.py' -exec sh -c 'for source; do if [ -e "${source}c" ]; then rm "$source"; fi; done' - {} +

# The image: no base, no shell, no package manager.
FROM scratch
COPY --from=runtime /image/ /
COPY --from=dependencies /dependencies/ /
COPY --from=app /image/ /
ENV PATH="/usr/local/bin" \
    LANG="C.UTF-8" \
    PYTHONDONTWRITEBYTECODE="1" \
    PYTHONNOUSERSITE="1" \
    PYTHONUNBUFFERED="1" \
    SSL_CERT_FILE="/etc/ssl/certs/ca-certificates.crt"
LABEL org.opencontainers.image.title="my-project" \
      org.opencontainers.image.description="Nox sessions and Invoke tasks that take a Python project to a tiny, source-free, reproducible container image" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.authors="The cannery maintainers" \
      org.opencontainers.image.source="https://github.com/cannery-dev/cannery" \
      dev.cannery.recipe="scratch" \
      dev.cannery.version="0.1.0"
WORKDIR /app
# A number, as Kubernetes can't tell from a name that it isn't root.
USER 65535:65535
# The exec form: no shell stands between the program and its signals.
ENTRYPOINT ["/usr/local/bin/python3.11", "/app/main.pyc"]
