# The versions and hashes of the lock, as pip reads them.
RUN --mount=type=cache,target=/root/.cache/pip \
    python3 -m pip install --disable-pip-version-check --root-user-action=ignore @{tools} \
 && @{command}
