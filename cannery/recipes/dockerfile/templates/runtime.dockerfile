
# Runtime: the interpreter, and of the standard library what a program in a container has a use for.
FROM ${BASE} AS runtime
WORKDIR /image/usr/local/lib/@{python}
RUN mkdir -p /image/usr/local/bin \
 && cp -a /usr/local/bin/@{python} /usr/local/bin/python3 /usr/local/bin/python /image/usr/local/bin/ \
 && cp -a /usr/local/lib/@{python}/. . \
 && rm -rf site-packages config-* @{unwanted} \
 && find . -depth \( -name __pycache__ -o -name test -o -name tests -o -name idle_test \) -exec rm -rf {} +
@{bytecode}# Every shared library that the loader would look for goes into one folder where it is sure to look: the C library's.
@{sources}RUN find /image @{searched} -type f \( -name '*.so' -o -name '*.so.*' -o -name @{python} \) -exec ldd {} + >/tmp/needed \
 && ! grep 'not found' /tmp/needed \
 && libraries="/image$(dirname "$(awk '$1 ~ "^libc[.]" {print $3; exit}' /tmp/needed)")" \
 && mkdir -p "$libraries" \
 && awk '$3 ~ "^/" && $3 !~ "^/(image|dependencies|native)/" {print $3}' /tmp/needed >/tmp/libraries \
@{named} && while read -r library; do cp -uL "$library" "$libraries/"; done </tmp/libraries \
 && loader="$(awk '$1 ~ "^/.*/ld-" {print $1; exit}' /tmp/needed)" \
 && install -D "$loader" "/image$loader" \
 && mkdir -p /image/usr/lib/locale \
 && if [ -d /usr/lib/locale/C.utf8 ]; then cp -a /usr/lib/locale/C.utf8 /image/usr/lib/locale/; fi
