/* A start from memory that was written when the executable was built: how it's written, and how a process goes on from it.

   It is written where nothing refers to the stack: in main, outside of any frame of Python's. Whoever builds the executable
   gives a file descriptor, and gets each region of memory by its address. What a process has of its own (thread, signals,
   streams, environment, random state, hash secret) is made anew when it goes on, as after a fork. */

#define Py_BUILD_CORE 1
#define _GNU_SOURCE
#include <Python.h>
#include <stdbool.h>
#include <internal/pycore_obmalloc.h>
#include <internal/pycore_pystate.h>
#include <internal/pycore_runtime.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <string.h>
#include <unistd.h>

#include "app.h"
#include "memory.h"
#include "snapshot.h"
#include "start.h"

#define MOST_ARENAS 4096
#define HELPER "_cannery_snapshot"
/* A line each: the descriptor to write to, the image's user and folder, modules to import, modules not to. */
#define WANTED "_CANNERY_SNAPSHOT"

static int restored; /* in the memory that is written */
static int descriptor; /* to which */
static char *modules, *refused; /* with commas between */
static PyThreadState *thread;

static int building; /* this process writes its memory */
static char *arenas[MOST_ARENAS]; /* while building */
static int arena_count;

static void *arena_alloc(void *context, size_t size) {
    (void)context;
    char *arena = cannery_take_pages(size);
    if (building && arena != NULL && size == ARENA_SIZE) { /* frames of Python's are of other sizes */
        if (arena_count == MOST_ARENAS) Py_FatalError("a snapshot has too much memory");
        arenas[arena_count++] = arena;
    }
    return arena;
}
/* Blocks of Python's allocator that are free keep what was in them: what is left of numbers and names of this process. */
static void clear_pool(struct pool_header *pool) {
    size_t size = INDEX2SIZE(pool->szidx);
    if (pool->nextoffset == 0) return; /* never used */
    if (pool->ref.count == 0) {
        memset((char *)pool + POOL_OVERHEAD, 0, POOL_SIZE - POOL_OVERHEAD);
        pool->szidx = DUMMY_SIZE_IDX; /* or else its list of free blocks would be gone on with */
        return;
    }
    for (pymem_block *block = pool->freeblock; block != NULL; block = *(pymem_block **)block) {
        memset(block + sizeof(void *), 0, size - sizeof(void *));
    }
    if (pool->nextoffset < POOL_SIZE) memset((char *)pool + pool->nextoffset, 0, POOL_SIZE - pool->nextoffset);
}

static void clear_pools(void) {
    for (int each = 0; each < arena_count; each++) {
        uintptr_t first = ((uintptr_t)arenas[each] + POOL_SIZE - 1) & ~(uintptr_t)(POOL_SIZE - 1);
        uintptr_t end = (uintptr_t)arenas[each] + ARENA_SIZE;
        for (uintptr_t pool = first; pool + POOL_SIZE <= end; pool += POOL_SIZE) clear_pool((struct pool_header *)pool);
    }
}

static void arena_free(void *context, void *arena, size_t size) {
    (void)context;
    for (int each = 0; each < arena_count; each++) {
        if (arenas[each] == arena) arenas[each] = arenas[--arena_count];
    }
    cannery_give_pages(arena, size);
}

int cannery_is_building(void) { return building; }
int cannery_is_restored(void) { return restored; }

void cannery_begin_building(void) {
    PyObjectArenaAllocator allocator = {NULL, arena_alloc, arena_free};
    PyObject_SetArenaAllocator(&allocator);
    if (getenv(WANTED) == NULL) return;
    char *rest = strdup(getenv(WANTED));
    descriptor = atoi(strsep(&rest, "\n"));
    long user = atol(strsep(&rest, "\n"));
    const char *folder = strsep(&rest, "\n");
    modules = strsep(&rest, "\n"), refused = rest;
    cannery_pretend(user, folder);
    unsetenv(WANTED);
    building = 1;
    cannery_clear_freed();
}

static PyObject *call(const char *function, PyObject *arguments) {
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
    clear_pools();
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

static int write_text(uint64_t kind, const char *text) {
    uint64_t head[2] = {kind, text == NULL ? 0 : strlen(text)};
    return write_all(head, sizeof head) < 0 || write_all(text, head[1]) < 0 ? -1 : 0;
}

static int is_in(const char *notes, const char *what) {
    size_t size = strlen(what);
    for (const char *line = notes; line != NULL && *line != '\0'; line = strchr(line, '\n') + 1) {
        if (strncmp(line, what, size) == 0 && line[size] == '\t') return 1;
    }
    return 0;
}

static void *longer(void *list, int count, size_t size) {
    list = realloc(list, (count + 1) * size);
    if (list == NULL) Py_FatalError("no memory for a snapshot");
    return list;
}

static void assume_variable(const char *name) {
    struct cannery_assumptions *all = &cannery_assumed;
    for (int each = 0; each < all->variable_count; each++) {
        if (strcmp(all->variables[each].name, name) == 0) return;
    }
    const char *value = getenv(name);
    all->variables = longer(all->variables, all->variable_count, sizeof *all->variables);
    all->variables[all->variable_count++] = (struct cannery_variable){strdup(name), value == NULL ? NULL : strdup(value)};
}

static void assume_absent(const char *path) {
    struct cannery_assumptions *all = &cannery_assumed;
    for (int each = 0; each < all->absent_count; each++) {
        if (strcmp(all->absent[each], path) == 0) return;
    }
    all->absent = longer(all->absent, all->absent_count, sizeof *all->absent);
    all->absent[all->absent_count++] = strdup(path);
}

/* Calls a function with each variable or file that notes name. */
static void assume_noted(const char *notes, const char *what, void (*assume)(const char *)) {
    size_t size = strlen(what);
    for (const char *line = notes; line != NULL && *line != '\0'; line = strchr(line, '\n') + 1) {
        if (strncmp(line, what, size) != 0 || line[size] != '\t') continue;
        char *which = strndup(line + size + 1, strcspn(line + size + 1, "\t"));
        assume(which);
        free(which);
    }
}

/* What was asked for while modules were imported has to be the same when a process goes on. */
static void assume(PyObject *variables, const char *notes) {
    char *names = strdup(PyUnicode_AsUTF8(variables));
    for (char *name = strtok(names, "\n"); name != NULL; name = strtok(NULL, "\n")) assume_variable(name);
    free(names);
    assume_noted(notes, "variable", assume_variable);
    assume_noted(notes, "absent", assume_absent);
    cannery_assumed.user = cannery_assumed.group = -1;
    if (is_in(notes, "user")) cannery_assumed.user = geteuid(), cannery_assumed.group = getegid();
    if (is_in(notes, "folder")) cannery_assumed.folder = getcwd(NULL, 0);
}

/* Imports what is wanted and writes the notes on it; returns 0 where the memory may be written as well. */
static int import_all(void) {
    Py_XDECREF(PyImport_ImportModule("time")); /* which asks for the clock and the time zone, and is told of both again */
    if (cannery_begin_listening() < 0) return -1;
    cannery_begin_notes();
    PyObject *done = call("prepare", Py_BuildValue("(ss)", modules, refused)), *variables, *noted, *late, *loaded;
    char *notes = cannery_end_notes();
    cannery_end_listening();
    if (done == NULL || !PyArg_ParseTuple(done, "UUUU", &variables, &noted, &late, &loaded)) return -1;
    assume(variables, notes);
    int failed = write_text(1, notes) < 0 || write_text(2, PyUnicode_AsUTF8(variables)) < 0 ||
                 write_text(3, PyUnicode_AsUTF8(noted)) < 0 || write_text(4, PyUnicode_AsUTF8(late)) < 0 ||
                 write_text(5, PyUnicode_AsUTF8(loaded)) < 0;
    free(notes);
    Py_DECREF(done);
    modules = refused = NULL;
    return failed ? -1 : 0;
}

int cannery_stop_import(void) {
    PyObject *helper = PyImport_ImportModule(HELPER);
    PyObject *kind = helper == NULL ? NULL : PyObject_GetAttrString(helper, "NotNow");
    if (kind != NULL) PyErr_SetString(kind, "it");
    Py_XDECREF(helper);
    Py_XDECREF(kind);
    return -1;
}

/* Whether imports left nothing that memory alone doesn't hold: open files and sockets, other threads. Notes tell whose. */
static int is_alone(void) {
    for (int each = 3; each < 1024; each++) {
        if (each != descriptor && fcntl(each, F_GETFD) >= 0) return 0;
    }
    return PyThreadState_Next(PyInterpreterState_ThreadHead(PyInterpreterState_Get())) == NULL;
}

/* The program's exit code: 3 where there are notes and no memory. */
int cannery_end_building(void) {
    if (import_all() < 0) return 1;
    if (!is_alone()) return 3;
    cannery_find_hashes();
    thread = PyThreadState_Get();
    thread->native_thread_id = 0;
    ((PyInterpreterState *)thread->interp)->config.use_hash_seed = 0; /* from here on it's as with a secret of its own */
    fflush(NULL);
    clear_remains();
    cannery_keep_memory();
    restored = 1;
    building = 0;
    struct cannery_region heap = cannery_heap();
    return write_places() < 0 || write_variables() < 0 || write_region(heap.begin, heap.end) < 0;
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
    PyObject *done = call("resume", Py_BuildValue("(NNNN)", words(argc, argv), variables(), name, ignored));
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}
