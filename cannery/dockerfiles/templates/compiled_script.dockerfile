 \
 && cython @{directives} --module-name __main__ --output-file @{c} @{script} \
 && eval "gcc -shared -fPIC $CFLAGS $LDFLAGS $(python3-config --includes) @{c}" -o @{stem}.script.so \
 && printf '%s\n' @{starter} >@{script}