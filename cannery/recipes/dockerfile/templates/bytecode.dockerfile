# Bytecode takes the place of the sources: x.pyc is loaded as x.py would be (PEP 3147), and never goes stale (PEP 552).
# A file that is no Python stays as it is.
RUN python3 -m compileall -b -q@{optimize} --invalidation-mode unchecked-hash -s @{strip} @{folder} || true \
 && find @{folder} -name '*.py' -exec sh -c 'for source; do if [ -e "${source}c" ]; then rm "$source"; fi; done' - {} +
