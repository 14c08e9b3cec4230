/* What else modules may learn of their surroundings while memory is written, or leave there: files, streams, processors,
   programs, threads. Functions of the C library note it, as those of notes.c do; what Python tells auditors of is heard there.

   A file that isn't there is assumed not to be there at a start either. One that is there is another system's. */

#define Py_BUILD_CORE 1
#define _GNU_SOURCE
#include <Python.h>
#include <stdbool.h>
#include <errno.h>
#include <fcntl.h>
#include <internal/pycore_pystate.h>
#include <internal/pycore_runtime.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "snapshot.h"

/* ----------------------------------------------------------------------------------------------------------------- files */

static int is_of_the_system(const char *path) { return strncmp(path, "/dev/", 5) == 0; }

static void note_file(const char *path, int failed) {
    if (is_of_the_system(path) || cannery_is_importing()) return;
    if (!failed) cannery_note("file", path);
    else if (errno == ENOENT || errno == ENOTDIR) cannery_note("absent", path);
}

static int open_at(int folder, const char *path, int flags, mode_t mode) {
    int opened = syscall(SYS_openat, folder, path, flags, mode);
    note_file(path, opened < 0);
    return opened;
}

static mode_t mode_of(int flags, va_list rest) { return flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(rest, mode_t) : 0; }

int open(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = mode_of(flags, rest);
    va_end(rest);
    return open_at(AT_FDCWD, path, flags, mode);
}

int openat(int folder, const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = mode_of(flags, rest);
    va_end(rest);
    return open_at(folder, path, flags, mode);
}

FILE *fopen(const char *restrict path, const char *restrict mode) {
    int flags = strchr(mode, '+') ? O_RDWR : mode[0] == 'r' ? O_RDONLY : O_WRONLY;
    if (strchr("rwa", mode[0]) == NULL || mode[0] == '\0') return errno = EINVAL, NULL;
    if (mode[0] != 'r') flags |= O_CREAT | (mode[0] == 'w' ? O_TRUNC : O_APPEND);
    if (strchr(mode, 'e')) flags |= O_CLOEXEC;
    if (strchr(mode, 'x')) flags |= O_EXCL;
    int opened = open_at(AT_FDCWD, path, flags, 0666);
    FILE *stream = opened < 0 ? NULL : fdopen(opened, mode);
    if (stream == NULL && opened >= 0) close(opened);
    return stream;
}

/* Folders are what programs lay out themselves; that they are there is no secret of a machine. */
static int tell(const char *path, const struct stat *found, int failed) {
    if (failed || S_ISREG(found->st_mode)) note_file(path, failed);
    return failed;
}
int stat(const char *restrict path, struct stat *restrict found) { return tell(path, found, fstatat(AT_FDCWD, path, found, 0)); }
int lstat(const char *restrict path, struct stat *restrict found) {
    return tell(path, found, fstatat(AT_FDCWD, path, found, AT_SYMLINK_NOFOLLOW));
}

int access(const char *path, int mode) {
    int failed = syscall(SYS_faccessat, AT_FDCWD, path, mode);
    note_file(path, failed);
    return failed;
}

/* ------------------------------------------------------------------------------------------------------------ the system */

int isatty(int number) {
    struct winsize size;
    if (number <= STDERR_FILENO) cannery_note("terminal", "");
    if (syscall(SYS_ioctl, number, TIOCGWINSZ, &size) == 0) return 1;
    if (errno != EBADF) errno = ENOTTY;
    return 0;
}

void *mmap(void *address, size_t size, int protection, int flags, int file, off_t offset) {
    cannery_note("map", "");
    return (void *)syscall(SYS_mmap, address, size, protection, flags, file, offset);
}

/* What asks by functions of C that have much else to tell: meanwhile the module's own table leads here. */
static PyCFunction counting, counting_mine, measuring;

static PyObject *count(PyObject *module, PyObject *nothing) {
    cannery_note("processors", "");
    return counting(module, nothing);
}

static PyObject *count_mine(PyObject *module, PyObject *process) {
    cannery_note("processors", "");
    return counting_mine(module, process);
}

static PyObject *measure(PyObject *module, PyObject *const *arguments, Py_ssize_t count) {
    cannery_note("terminal", "");
    return ((PyCFunctionFast)(void (*)(void))measuring)(module, arguments, count);
}

/* Puts a function in the place of another in the table of Python's module posix, which was of a kind of arguments. */
static int replace(const char *name, int kind, PyCFunction function, PyCFunction *before) {
    PyObject *posix = PyImport_ImportModule("posix");
    PyObject *found = posix == NULL ? NULL : PyObject_GetAttrString(posix, name);
    Py_XDECREF(posix);
    int fits = found != NULL && PyCFunction_Check(found) && PyCFunction_GetFlags(found) == kind;
    if (fits) {
        if (before != NULL) *before = PyCFunction_GetFunction(found);
        ((PyCFunctionObject *)found)->m_ml->ml_meth = function;
    }
    Py_XDECREF(found);
    return fits ? 0 : -1;
}

static int replace_all(void) {
    return replace("cpu_count", METH_NOARGS, count, &counting) | replace("sched_getaffinity", METH_O, count_mine, &counting_mine) |
           replace("get_terminal_size", METH_FASTCALL, (PyCFunction)(void (*)(void))measure, &measuring);
}

static void put_back_all(void) {
    replace("cpu_count", METH_NOARGS, counting, NULL);
    replace("sched_getaffinity", METH_O, counting_mine, NULL);
    replace("get_terminal_size", METH_FASTCALL, measuring, NULL);
}

/* -------------------------------------------------------------------------------------------------------- what is audited */

static const struct {
    const char *event, *what;
    int stops; /* it must not happen here: the import ends */
} heard[] = {
    {"subprocess.Popen", "program", 1},
    {"os.exec", "program", 1},
    {"os.fork", "program", 1},
    {"os.forkpty", "program", 1},
    {"os.posix_spawn", "program", 1},
    {"os.system", "program", 1},
    {"_thread.start_new_thread", "thread", 1},
    {"_thread.start_joinable_thread", "thread", 1},
    {"socket.__new__", "socket", 1},
    {"os.chdir", "change", 1},
    {"resource.setrlimit", "change", 1},
    {"os.listdir", "list", 0},
    {"os.scandir", "list", 0},
};

static int listen(const char *event, PyObject *arguments, void *nothing) {
    (void)arguments, (void)nothing;
    for (size_t each = 0; each < sizeof heard / sizeof *heard; each++) {
        if (strcmp(event, heard[each].event) != 0) continue;
        if (cannery_is_importing()) return 0;
        cannery_note(heard[each].what, "");
        return heard[each].stops ? cannery_stop_import() : 0;
    }
    return 0;
}

int cannery_begin_listening(void) { return PySys_AddAuditHook(listen, NULL) < 0 || replace_all() < 0 ? -1 : 0; }

/* Auditors can't be taken away again, but by their list. This one is its last, and was its first. */
void cannery_end_listening(void) {
    put_back_all();
    PyMem_RawFree(_PyRuntime.audit_hooks.head);
    _PyRuntime.audit_hooks.head = NULL;
}
