/* Functions of the C library by which a program learns of its surroundings. While memory is written they note who asks, and
   what differs from start to start is fixed; in a process that runs, they do what they always do. */

#define _GNU_SOURCE
#include <Python.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "snapshot.h"

#define INSTANT 1 /* the time of the clocks while memory is written */

/* A line each: what was asked for, which variable, by which module. */
static char *notes;
static size_t length, room;
static int noting;

void cannery_begin_notes(void) { noting = 1; }

char *cannery_end_notes(void) {
    noting = 0;
    return notes;
}

static void append(const char *text) {
    size_t more = strlen(text);
    if (length + more + 1 > room) {
        room = 2 * (length + more + 1024);
        notes = realloc(notes, room);
        if (notes == NULL) Py_FatalError("no memory for a snapshot");
    }
    memcpy(notes + length, text, more + 1);
    length += more;
}

/* The module that is imported: the innermost frame that runs a module's body, but for those of the import system. */
static void append_module(void) {
    PyFrameObject *frame = PyThreadState_GetFrame(PyThreadState_Get());
    for (PyFrameObject *outer; frame != NULL; frame = outer) {
        PyCodeObject *code = PyFrame_GetCode(frame);
        int is_body = strcmp(PyUnicode_AsUTF8(code->co_name), "<module>") == 0;
        PyObject *names = is_body ? PyFrame_GetGlobals(frame) : NULL;
        PyObject *name = names != NULL ? PyDict_GetItemString(names, "__name__") : NULL;
        if (name != NULL) append(PyUnicode_AsUTF8(name));
        Py_XDECREF(names);
        Py_DECREF(code);
        outer = name != NULL ? NULL : PyFrame_GetBack(frame);
        Py_DECREF(frame);
    }
}

/* Who asks may have released the interpreter, to wait for the system. Returns its thread in that case. */
static PyThreadState *join(void) {
    PyThreadState *mine = PyGILState_GetThisThreadState();
    if (mine == NULL || PyGILState_Check()) return NULL;
    PyEval_RestoreThread(mine);
    return mine;
}

static void leave(PyThreadState *joined) {
    if (joined != NULL) PyEval_SaveThread();
}

void cannery_note(const char *what, const char *which) {
    if (!noting) return;
    int before = errno;
    noting = 0; /* what this itself asks for */
    PyThreadState *joined = join();
    append(what), append("\t"), append(which), append("\t"), append_module(), append("\n");
    leave(joined);
    noting = 1;
    errno = before;
}

int cannery_is_importing(void) {
    if (!noting) return 1;
    PyThreadState *joined = join();
    PyFrameObject *frame = PyThreadState_GetFrame(PyThreadState_Get());
    PyCodeObject *code = frame == NULL ? NULL : PyFrame_GetCode(frame);
    const char *file = code == NULL ? "" : PyUnicode_AsUTF8(code->co_filename);
    int found = strncmp(file, "<frozen importlib.", 18) == 0 || strncmp(file, "<frozen _cannery_", 17) == 0;
    Py_XDECREF(code);
    Py_XDECREF(frame);
    leave(joined);
    return found;
}

char *getenv(const char *name) {
    size_t size = strcspn(name, "=");
    cannery_note("variable", name);
    for (char **each = environ; size && !name[size] && each != NULL && *each != NULL; each++) {
        if (strncmp(*each, name, size) == 0 && (*each)[size] == '=') return *each + size + 1;
    }
    return NULL;
}

ssize_t getrandom(void *buffer, size_t size, unsigned flags) {
    if (!cannery_is_building()) return syscall(SYS_getrandom, buffer, size, flags);
    cannery_note("randomness", "");
    memset(buffer, 0x5c, size);
    return size;
}

int getentropy(void *buffer, size_t size) {
    if (size > 256) return errno = EIO, -1;
    for (size_t have = 0; have < size;) {
        ssize_t got = getrandom((char *)buffer + have, size - have, 0);
        if (got < 0 && errno != EINTR) return -1;
        if (got > 0) have += got;
    }
    return 0;
}

extern void *__vdsosym(const char *version, const char *name);
static int (*fast)(clockid_t, struct timespec *);
static int looked;

int clock_gettime(clockid_t clock, struct timespec *time) {
    if (cannery_is_building()) {
        cannery_note("clock", "");
        *time = (struct timespec){INSTANT, 0};
        return 0;
    }
    if (!looked) fast = (int (*)(clockid_t, struct timespec *))__vdsosym("LINUX_2.6", "__vdso_clock_gettime"), looked = 1;
    int failed = fast != NULL ? fast(clock, time) : -ENOSYS;
    if (failed == -ENOSYS) return syscall(SYS_clock_gettime, clock, time);
    return failed ? (errno = -failed, -1) : 0;
}

time_t time(time_t *place) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (place != NULL) *place = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval *restrict place, void *restrict zone) {
    struct timespec now;
    (void)zone;
    if (place == NULL) return 0;
    clock_gettime(CLOCK_REALTIME, &now);
    *place = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
    return 0;
}

static long image_user;
static const char *image_folder;

void cannery_pretend(long user, const char *folder) { image_user = user, image_folder = folder; }

char *getcwd(char *buffer, size_t size) {
    char own[4096];
    cannery_note("folder", "");
    if (buffer == NULL) buffer = own, size = sizeof own;
    if (!size) return errno = EINVAL, NULL;
    if (cannery_is_building()) {
        if (strlen(image_folder) >= size) return errno = ERANGE, NULL;
        return buffer == own ? strdup(image_folder) : strcpy(buffer, image_folder);
    }
    long got = syscall(SYS_getcwd, buffer, size);
    if (got < 0) return NULL;
    if (buffer[0] != '/') return errno = ENOENT, NULL;
    return buffer == own ? strdup(own) : buffer;
}

static long user(long number) {
    cannery_note("user", "");
    return cannery_is_building() ? image_user : syscall(number);
}

uid_t getuid(void) { return user(SYS_getuid); }
uid_t geteuid(void) { return user(SYS_geteuid); }
gid_t getgid(void) { return user(SYS_getgid); }
gid_t getegid(void) { return user(SYS_getegid); }
pid_t getpid(void) { return cannery_note("process", ""), cannery_is_building() ? 1 : syscall(SYS_getpid); }

/* While memory is written no module learns which machine makes it: this is looked for in the memory afterwards. */
#define NOWHERE "cannery-nowhere"

int uname(struct utsname *place) {
    cannery_note("host", "");
    if (!cannery_is_building()) return syscall(SYS_uname, place);
    *place = (struct utsname){.sysname = "Linux", .nodename = NOWHERE, .release = NOWHERE, .version = NOWHERE, .machine = NOWHERE};
    return 0;
}

int gethostname(char *name, size_t size) {
    struct utsname own;
    if (uname(&own) < 0) return -1;
    size_t length = strlen(own.nodename);
    memcpy(name, own.nodename, length < size ? length + 1 : size);
    if (size && length >= size) name[size - 1] = 0;
    return 0;
}
