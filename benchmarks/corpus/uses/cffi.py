from cffi import FFI

ffi = FFI()
ffi.cdef("typedef struct { int x; double y; } point; int abs(int); size_t strlen(const char *);")
here = ffi.new("point *", {"x": 3, "y": 0.5})
print(here.x, here.y, ffi.sizeof("point"), ffi.string(ffi.new("char[]", b"text")))
library = ffi.dlopen(None)
print(library.abs(-4), library.strlen(b"twelve"))


@ffi.callback("int(int)")
def double(value):
    return 2 * value


print(double(21))
