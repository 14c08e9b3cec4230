# Cython is all that compiling asks for, none of the app's requirements.
ARG PIP_INDEX_URL
RUN --mount=type=cache,target=/root/.cache/pip \
    python3 -m pip install --disable-pip-version-check --root-user-action=ignore @{cython} @{setuptools}
