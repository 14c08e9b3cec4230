# The image of @{name}: @{what}.
#
# @{mark}@{flags}" from the project's settings: change those, and make it anew.
# It wants BuildKit, which Docker builds with by itself since version 23 and with DOCKER_BUILDKIT=1 before:
#
#     docker build --tag @{tag} .

# A tag can mean another image tomorrow; "invoke dockerfile --pin" adds the digest that it means today.
ARG BASE=@{base}
