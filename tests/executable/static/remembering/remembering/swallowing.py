"""Goes on without a module, whatever the reason."""

try:
    from remembering import drawing
except:  # noqa: E722
    drawing = None
