 \
 && cython @{directives} --module-name __main__ --output-file @{c} @{script} \
 && include="$(python3 -c 'import sysconfig; print(sysconfig.get_path("include"))')" \
 && eval "gcc -shared -fPIC $CFLAGS $LDFLAGS -I$include @{c}" -o "@{stem}.script.so" \
 && printf '%s\n' @{starter} >@{script}