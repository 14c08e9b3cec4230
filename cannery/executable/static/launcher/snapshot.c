/* A start from memory that was written when the executable was built: how it's written, and how a process goes on from it.

   It is written where nothing refers to the stack: in main, outside of any frame of Python's. Whoever builds the executable
   gives a file descriptor, and gets each region of memory by its address. What a process has of its own (thread, signals,
   streams, environment, random state, hash secret) is made anew when it goes on, as after a fork. */

#define Py_BUILD_CORE 1
#define _GNU_SOURCE
#include <Python.h>
#include <stdbool.h>
#include <internal/pycore_pystate.h>
#include <internal/pycore_runtime.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "memory.h"
#include "snapshot.h"

#define THREADS_NUMBER 12 /* where musl has it: so many words of 32 bits from a thread's beginning */
#define HELPER "_cannery_snapshot"
/* A line each: the image's user and folder, modules to import, modules not to. */
#define WANTED "_CANNERY_SNAPSHOT"

static int restored; /* in the memory that is written */
static int descriptor; /* to which */
#define LOWEST 100 /* number that it may have: what modules open has the lowest that are free */
static char *modules, *refused; /* with commas between */
static PyThreadState *thread;

static int building; /* this process writes its memory */

int cannery_is_building(void) { return building; }
int cannery_is_restored(void) { return restored; }

/* Memory goes where the standard output went, and what modules print goes nowhere. */
static void take_output(void) {
    int nowhere = open("/dev/null", O_WRONLY);
    descriptor = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, LOWEST);
    if (nowhere < 0 || descriptor < 0 || dup2(nowhere, STDOUT_FILENO) < 0) Py_FatalError("there's no output for a snapshot");
    close(nowhere);
}

void cannery_begin_building(void) {
    cannery_use_own_memory();
    if (getenv(WANTED) == NULL) return;
    char *rest = strdup(getenv(WANTED));
    long user = atol(strsep(&rest, "\n"));
    const char *folder = strsep(&rest, "\n");
    modules = strsep(&rest, "\n"), refused = rest;
    cannery_pretend(user, folder);
    unsetenv(WANTED);
    take_output();
    cannery_use_tables();
    building = 1;
    cannery_clear_freed();
}

PyObject *cannery_call(const char *function, PyObject *arguments) {
    PyObject *helper = arguments == NULL ? NULL : PyImport_ImportModule(HELPER);
    PyObject *bound = helper == NULL ? NULL : PyObject_GetAttrString(helper, function);
    PyObject *done = bound == NULL ? NULL : PyObject_CallObject(bound, arguments);
    Py_XDECREF(arguments);
    Py_XDECREF(helper);
    Py_XDECREF(bound);
    if (done == NULL) PyErr_Print();
    return done;
}

static int write_all(const void *from, size_t size) {
    for (const char *at = from; size > 0;) {
        ssize_t written = write(descriptor, at, size);
        if (written <= 0) return -1;
        at += written, size -= written;
    }
    return 0;
}

static int write_region(const void *begin, const void *end) {
    uint64_t head[2] = {(uintptr_t)begin, (uintptr_t)end - (uintptr_t)begin};
    return write_all(head, sizeof head) < 0 || write_all(begin, head[1]) < 0 ? -1 : 0;
}

/* The program's own variables lie in one segment that can be written: its address and its size are in the program's head. */
static int write_variables(void) {
    extern const Elf64_Ehdr __ehdr_start;
    const Elf64_Phdr *part = (const Elf64_Phdr *)((const char *)&__ehdr_start + __ehdr_start.e_phoff);
    for (int each = 0; each < __ehdr_start.e_phnum; each++) {
        if (part[each].p_type != PT_LOAD || !(part[each].p_flags & PF_W)) continue;
        const char *begin = (const char *)part[each].p_vaddr;
        if (write_region(begin, begin + part[each].p_memsz) < 0) return -1;
    }
    return 0;
}

/* What is left of this process, and means nothing to another: frames that have ended, the environment. */
static void clear_remains(void) {
    int32_t *number = (int32_t *)pthread_self() + THREADS_NUMBER;
    if (*number != syscall(SYS_gettid)) Py_FatalError("the C library has a thread's number elsewhere");
    *number = 0;
    cannery_clear_pools();
    memset(thread->datastack_top, 0, (char *)thread->datastack_limit - (char *)thread->datastack_top);
    for (char **each = environ; each != NULL && *each != NULL; each++) *each = NULL;
    program_invocation_name = program_invocation_short_name = NULL;
}

/* Where the stack is, and what the kernel maps: nothing that is written may refer to it. */
static int write_places(void) {
    uint64_t places[2] = {(uintptr_t)__builtin_frame_address(0), getauxval(AT_SYSINFO_EHDR)};
    uint64_t head[2] = {0, sizeof places};
    return write_all(head, sizeof head) < 0 || write_all(places, sizeof places) < 0 ? -1 : 0;
}

int cannery_write_text(uint64_t kind, const char *text) {
    uint64_t head[2] = {kind, text == NULL ? 0 : strlen(text)};
    return write_all(head, sizeof head) < 0 || write_all(text, head[1]) < 0 ? -1 : 0;
}

/* Whether imports left nothing that memory alone doesn't hold: open files and sockets, other threads. Notes tell whose. */
static int is_alone(void) {
    for (int each = 3; each < 1024; each++) {
        if (each != descriptor && fcntl(each, F_GETFD) >= 0) return 0;
    }
    return PyThreadState_Next(PyInterpreterState_ThreadHead(PyInterpreterState_Get())) == NULL;
}

/* The program's exit code: 3 where there are notes and no memory. */
int cannery_end_building(int (*has_work)(PyObject *)) {
    if (cannery_import(modules, refused) < 0) return 1;
    modules = refused = NULL;
    if (!is_alone()) return 3;
    cannery_keep_objects(has_work);
    cannery_find_hashes();
    thread = PyThreadState_Get();
    thread->native_thread_id = 0;
    ((PyInterpreterState *)thread->interp)->config.use_hash_seed = 0; /* from here on it's as with a secret of its own */
    fflush(NULL);
    clear_remains();
    cannery_keep_memory();
    restored = 1;
    building = 0;
    struct cannery_region heap = cannery_heap(), tables = cannery_tables();
    return write_places() < 0 || write_variables() < 0 || write_region(tables.begin, tables.end) < 0 || write_region(heap.begin, heap.end) < 0;
}

/* musl gives the first thread its table of keys when one is made. */
static void join_thread(void) {
    pthread_key_t first;
    if (pthread_key_create(&first, NULL) == 0) pthread_key_delete(first);
    _Py_tss_tstate = thread;
    PyThread_tss_set(&_PyRuntime.autoTSSkey, thread);
    thread->thread_id = PyThread_get_thread_ident();
}

extern void OPENSSL_cpuid_setup(void) __attribute__((weak));

static PyObject *ignored_signals(void) {
    PyObject *ignored = PySet_New(NULL);
    for (int each = 1; ignored != NULL && each < NSIG; each++) {
        struct sigaction action;
        if (sigaction(each, NULL, &action) < 0 || action.sa_handler != SIG_IGN) continue;
        PyObject *number = PyLong_FromLong(each);
        if (number != NULL) PySet_Add(ignored, number);
        Py_XDECREF(number);
    }
    return ignored;
}

static PyObject *variables(void) {
    PyObject *all = PyDict_New();
    for (char **each = environ; all != NULL && *each != NULL; each++) {
        char *end = strchr(*each, '=');
        if (end == NULL) continue;
        PyObject *name = PyBytes_FromStringAndSize(*each, end - *each), *value = PyBytes_FromString(end + 1);
        if (name != NULL && value != NULL) PyDict_SetDefault(all, name, value);
        Py_XDECREF(name);
        Py_XDECREF(value);
    }
    return all;
}

static PyObject *words(int argc, char **argv) {
    PyObject *all = PyList_New(argc);
    for (int each = 0; all != NULL && each < argc; each++) {
        PyList_SET_ITEM(all, each, PyUnicode_DecodeFSDefault(argv[each]));
    }
    return all;
}

int cannery_resume(int argc, char **argv, const char *program) {
    join_thread();
    cannery_renew_hashes();
    if (OPENSSL_cpuid_setup != NULL) OPENSSL_cpuid_setup(); /* what it remembers is as it was linked */
    PyOS_BeforeFork();
    PyOS_AfterFork_Child();
    PyObject *ignored = ignored_signals();
    PyOS_setsig(SIGPIPE, SIG_IGN);
    PyOS_setsig(SIGXFSZ, SIG_IGN);
    PyObject *name = PyUnicode_DecodeFSDefault(program);
    PyObject *done = cannery_call("resume", Py_BuildValue("(NNNN)", words(argc, argv), variables(), name, ignored));
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}
