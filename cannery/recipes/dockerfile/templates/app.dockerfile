
# The app, without its sources.
FROM ${@{builder}} AS app
WORKDIR /image/app
@{compiler}@{copies}@{generated}@{compiled}@{bytecode}