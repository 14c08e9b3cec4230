
# cannery makes the image's files in this stage, of which nothing else gets into the image. Its wheel has this hash, and
# holds the hashes of all that it runs with.
FROM ${@{builder}} AS build
WORKDIR /cannery
# For another package index: docker build --build-arg PIP_INDEX_URL=https://index.example/simple
ARG PIP_INDEX_URL
@{wheel}RUN --mount=type=cache,target=/root/.cache/pip \
    echo @{requirement} >cannery.txt \
 && python3 -m venv . \
 && pip="bin/python -m pip install --no-deps --only-binary=:all: --require-hashes --disable-pip-version-check" \
 && $pip --requirement cannery.txt \
 && locked="$(bin/python -c 'import cannery; print(*cannery.__path__)')/recipes/dockerfile/locked" \
@{locked}
# The project's files. What is made of them stays in a cache that is no part of the image: a change of code makes the
# app's files anew, and nothing else. An index's certificate may be of whomever the base trusts.
WORKDIR /build
@{copies}ARG TARGETPLATFORM
RUN --mount=type=cache,target=/root/.cache/cannery \
    if [ -n "$PIP_INDEX_URL" ]; then export UV_DEFAULT_INDEX="$PIP_INDEX_URL"; fi \
 && @{variables}UV_SYSTEM_CERTS=true /cannery/bin/cannery image --recipe=@{recipe} --platform="$TARGETPLATFORM" @{python}\
      --builder=cannery --engine=none --output=/cannery/image.tar --unpack=/image

# The image: no base, no shell, no package manager.
FROM scratch
COPY --from=build /image/ /
@{execution}