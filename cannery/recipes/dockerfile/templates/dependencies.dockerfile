
# Dependencies: a stage of its own, before any source is copied, so that it runs again only when they change.
FROM ${BASE} AS dependencies
WORKDIR /build
# For another package index: docker build --build-arg PIP_INDEX_URL=https://index.example/simple
ARG PIP_INDEX_URL
@{files}@{pins}# What pip downloads is kept between builds in a cache that is no part of the image. Only wheels are taken, so that
# nobody's setup.py runs; commands that they bring along are no part of the app.
RUN --mount=type=cache,target=/root/.cache/pip \
    python3 -m pip install --root=/dependencies --ignore-installed --no-compile --only-binary=:all: \
      --disable-pip-version-check --no-warn-script-location --root-user-action=ignore \
      @{options}--requirement @{requirements} \
 && rm -rf /dependencies/usr/local/bin
