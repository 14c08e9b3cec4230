
# The same Python with a C compiler. Nothing of this image gets into the final one.
ARG TOOLS=@{tools}
