
# The image: no base, no shell, no package manager.
FROM scratch
COPY --from=runtime /image/ /
@{dependencies}COPY --from=app /image/ /
@{resources}@{execution}