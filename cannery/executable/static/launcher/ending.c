/* The end of a process that went on from memory, where nobody can notice that modules are not taken apart.

   Python takes them apart at its end, which writes to nearly all of the memory that the executable has: this took a third of
   the time of a short program. What anybody notices of it is what objects do when they go: their __del__, callbacks of weak
   references, files that are closed. Where no object has anything of that kind to do, in memory or made since, all else that
   Py_FinalizeEx does for others to see is done here: streams are flushed, and the exit code tells of it. */

#define Py_BUILD_CORE 1
#define _GNU_SOURCE
#include <Python.h>
#include <stdbool.h>
#include <internal/pycore_fileutils.h>
#include <internal/pycore_gc.h>
#include <internal/pycore_initconfig.h>
#include <internal/pycore_interp.h>
#include <internal/pycore_pylifecycle.h>
#include <internal/pycore_runtime.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "snapshot.h"

static struct {
    int is_known, code, interrupted;
} end;

/* -------------------------------------------------------------------------------------- what objects do when they go */

static PyGC_Head *frozen(void) { return &PyInterpreterState_Get()->gc.permanent_generation.head; }

static int any(PyGC_Head *head, int (*is)(PyObject *)) {
    for (PyGC_Head *each = _PyGCHead_NEXT(head); each != head; each = _PyGCHead_NEXT(each)) {
        if (is(_Py_FROM_GC(each))) return 1;
    }
    return 0;
}

static int any_of_all(int (*is)(PyObject *)) {
    struct _gc_runtime_state *gc = &PyInterpreterState_Get()->gc;
    for (int each = 0; each < NUM_GENERATIONS; each++) {
        if (any(&gc->generations[each].head, is)) return 1;
    }
    return any(frozen(), is);
}

/* Types whose objects finalize themselves, and that the collector doesn't know. Those of types in C are counted: each is a
   reference to its type, and nobody takes references to such a type away. Classes in Python may lose other references
   meanwhile, so one of them is enough. */
#define MOST_TYPES 64
static struct {
    PyTypeObject *type;
    Py_ssize_t references;
} hidden[MOST_TYPES];
static int hidden_count, has_hidden;

static int finalizes(PyTypeObject *type) { return type->tp_finalize != NULL || type->tp_del != NULL; }

static int is_in_python(PyTypeObject *type) {
    PyObject *method = PyObject_GetAttrString((PyObject *)type, "__del__");
    int found = method == NULL || PyFunction_Check(method) || !Py_IS_TYPE(method, &PyWrapperDescr_Type);
    PyErr_Clear();
    Py_XDECREF(method);
    return found;
}

static int hides(PyObject *object) {
    if (!PyType_Check(object) || PyType_IS_GC((PyTypeObject *)object) || !finalizes((PyTypeObject *)object)) return 0;
    for (int each = 0; each < hidden_count; each++) {
        if ((PyObject *)hidden[each].type == object) return Py_REFCNT(object) > hidden[each].references;
    }
    return 1;
}

static int count(PyObject *object) {
    PyTypeObject *type = (PyTypeObject *)object;
    if (!hides(object) || is_in_python(type) || hidden_count == MOST_TYPES) return 0;
    hidden[hidden_count].type = type;
    hidden[hidden_count++].references = Py_REFCNT(type);
    return 0;
}

/* Called for each object before the memory is written. */
void cannery_look_for_hidden(PyObject *object) {
    if (!PyObject_IS_GC(object) && finalizes(Py_TYPE(object))) has_hidden = 1;
}

/* ---------------------------------------------------------------------------------- objects where the collector looks not */

static PyObject *last; /* of those that are frozen when the memory is written */

void cannery_count_frozen(void) {
    PyObject *gc = PyImport_ImportModule("gc"), *done = NULL;
    last = PyList_New(0);
    if (gc != NULL && last != NULL) done = PyObject_CallMethod(gc, "freeze", NULL);
    if (done == NULL) Py_FatalError("objects can't be frozen for a snapshot");
    Py_DECREF(gc);
    Py_DECREF(done);
    any(frozen(), count);
}

/* After an ordinary start, the collector knows all that modules have made, and finalizes it if it's in cycles. So it does here,
   in the same order, unless the program itself has frozen objects: these are behind the last one. */
static void give_back(void) {
    PyGC_Head *all = frozen(), *oldest = &PyInterpreterState_Get()->gc.generations[NUM_GENERATIONS - 1].head;
    PyGC_Head *first = _PyGCHead_NEXT(all), *end_of_all = _PyGCHead_PREV(all), *next = _PyGCHead_NEXT(oldest);
    if (first == all || end_of_all != _Py_AS_GC(last)) return;
    _PyGCHead_SET_NEXT(oldest, first), _PyGCHead_SET_PREV(first, oldest);
    _PyGCHead_SET_NEXT(end_of_all, next), _PyGCHead_SET_PREV(next, end_of_all);
    _PyGCHead_SET_NEXT(all, all), _PyGCHead_SET_PREV(all, all);
}

/* ------------------------------------------------------------------------------------------------------------- the end */

/* Whether somebody hears of the end, or it would tell something: auditors, tracers, other interpreters, functions in C. */
static int is_heard(PyInterpreterState *interpreter) {
    const PyConfig *config = _PyInterpreterState_GetConfig(interpreter);
    PyThreadState *thread = PyThreadState_Get();
    for (size_t each = 0; each < PY_MONITORING_TOOL_IDS; each++) {
        if (interpreter->monitoring_tool_names[each] != NULL) return 1;
    }
    return interpreter->audit_hooks != NULL || _PyRuntime.audit_hooks.head != NULL || PyInterpreterState_Next(interpreter) != NULL ||
           PyInterpreterState_Head() != interpreter || interpreter->atexit.ll_callbacks != NULL || _PyRuntime.atexit.ncallbacks > 0 ||
           thread->c_tracefunc != NULL || thread->c_profilefunc != NULL || PyList_GET_SIZE(interpreter->gc.garbage) > 0 ||
           config->verbose || config->malloc_stats;
}

static int is_replaced(const char *name, const char *original) { return PySys_GetObject(name) != PySys_GetObject(original); }

/* As flush_std_files does in Python/pylifecycle.c. */
static int flush(const char *name) {
    PyObject *stream = PySys_GetObject(name);
    if (stream == NULL || stream == Py_None) return 0;
    PyObject *closed = PyObject_GetAttrString(stream, "closed");
    int is_closed = closed != NULL && PyObject_IsTrue(closed) > 0;
    Py_XDECREF(closed);
    PyErr_Clear();
    return is_closed ? 0 : _PyFile_Flush(stream);
}

static int flush_both(void) {
    int failed = flush("stdout");
    if (failed < 0) PyErr_FormatUnraisable("Exception ignored on flushing sys.stdout");
    if (flush("stderr") < 0) failed = -1, PyErr_Clear();
    return failed;
}

void cannery_will_end(int code, int interrupted) { end.is_known = 1, end.code = code, end.interrupted = interrupted; }

int cannery_is_exit(int *code) { return _Py_HandleSystemExit(code); }

static int can_end(void) {
    return end.is_known && !has_hidden && !is_heard(PyInterpreterState_Get()) && !any_of_all(hides) &&
           !is_replaced("stdout", "__stdout__") && !is_replaced("stderr", "__stderr__");
}

static void end_now(void) {
    if (flush_both() < 0) end.code = 120;
    if (end.interrupted) {
        signal(SIGINT, SIG_DFL);
        kill(getpid(), SIGINT);
    }
    exit(end.interrupted ? 128 + SIGINT : end.code);
}

int cannery_end_at_once(int (*has_work)(PyObject *), int is_settled) {
    if (is_settled && !any(frozen(), has_work)) {
        if (can_end()) end_now();
        return 1;
    }
    give_back();
    return 0;
}
