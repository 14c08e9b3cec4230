/* What ctypes and others call to load shared libraries. There are none, and musl's own stand-ins would fail to open even
   the program itself, which ctypes does when it's imported. */

#include <dlfcn.h>
#include <stddef.h>

static char self;
static const char *complaint;

void *dlopen(const char *name, int mode) {
    (void)mode;
    if (name == NULL) return &self;
    complaint = "a static executable loads no shared libraries: take the recipe tiny or scratch";
    return NULL;
}

void *dlsym(void *handle, const char *name) {
    (void)handle, (void)name;
    complaint = "a static executable has no symbols to look up: take the recipe tiny or scratch";
    return NULL;
}

int dlclose(void *handle) {
    (void)handle;
    return 0;
}

char *dlerror(void) {
    const char *last = complaint;
    complaint = NULL;
    return (char *)last;
}
