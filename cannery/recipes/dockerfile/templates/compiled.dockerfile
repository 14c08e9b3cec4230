# Each module becomes an extension module, without symbols and without a path of this build in it.
RUN export CFLAGS="-Os -g0 -fvisibility=hidden -ffile-prefix-map=$PWD=." LDFLAGS="-s -Wl,--build-id=none" \
 && find . -name '*.py'@{excluded} -exec cythonize --inplace --quiet --parallel "$(nproc)" @{directives} {} +@{scripts} \
 && find . -path '*/build/lib.*' -prune -exec rm -r {} + \
 && find . \( -name '*.c' -o -type d -name build -empty \) -delete \
 && find . -name '*.py'@{kept} -delete
