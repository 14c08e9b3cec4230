
# The image: one executable, which unpacks itself to /tmp at each start, and needs that to be executable.
FROM scratch
COPY --from=executable /image/ /
@{resources}@{execution}