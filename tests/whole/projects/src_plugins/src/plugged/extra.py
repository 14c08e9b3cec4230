import pluggy

hook = pluggy.HookimplMarker("plugged")


@hook
def greet():
    return "hello from extra"
