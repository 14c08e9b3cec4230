
# The image: the base, the dependencies, the app.
FROM ${BASE}
RUN echo @{passwd} >>/etc/passwd \
 && echo @{group} >>/etc/group
@{dependencies}@{app}@{execution}