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

/* ---------------------------------------------------------------------------------------- objects that finalize themselves */

static PyGC_Head *frozen(void) { return &PyInterpreterState_Get()->gc.permanent_generation.head; }

static int any(PyGC_Head *head, int (*is)(PyObject *)) {
    for (PyGC_Head *each = _PyGCHead_NEXT(head); each != head; each = _PyGCHead_NEXT(each)) {
        if (is(_Py_FROM_GC(each))) return 1;
    }
    return 0;
}

static int any_of_others(int (*is)(PyObject *)) {
    struct _gc_runtime_state *gc = &PyInterpreterState_Get()->gc;
    for (int each = 0; each < NUM_GENERATIONS; each++) {
        if (any(&gc->generations[each].head, is)) return 1;
    }
    return 0;
}

static int finalizes(PyTypeObject *type) { return type->tp_finalize != NULL || type->tp_del != NULL; }

/* Types that are in memory. None of them goes before the end, unless the program gives them back to the collector. */
struct known {
    PyTypeObject *type;
    Py_ssize_t references; /* where the collector doesn't know objects that finalize themselves, or else 0 */
    int finalizes;
};
static struct known *types;
static size_t type_count;
static int has_hidden; /* in memory is an object that finalizes itself, and that the collector doesn't know */

static int is_in_python(PyTypeObject *type) {
    PyObject *method = PyObject_GetAttrString((PyObject *)type, "__del__");
    int found = method == NULL || !Py_IS_TYPE(method, &PyWrapperDescr_Type);
    PyErr_Clear();
    Py_XDECREF(method);
    return found;
}

/* Whether there may be objects of a type that finalize themselves, and that the collector doesn't know. */
static int hides(PyObject *object) {
    return PyType_Check(object) && !PyType_IS_GC((PyTypeObject *)object) && finalizes((PyTypeObject *)object);
}

static int keep_type(PyObject *object) {
    if (!PyType_Check(object)) return 0;
    types = realloc(types, (type_count + 1) * sizeof *types);
    if (types == NULL) Py_FatalError("no memory for a snapshot");
    PyTypeObject *type = (PyTypeObject *)object;
    types[type_count++] = (struct known){type, hides(object) ? Py_REFCNT(type) : 0, finalizes(type)};
    if (hides(object) && is_in_python(type)) has_hidden = 1;
    return 0;
}

/* Each object of a type in C is a reference to it, and nobody takes others away; so one more is an object. Classes in Python
   may lose references meanwhile: with them, the end is an ordinary one. */
static int has_learnt(const struct known *known) {
    if (!known->finalizes) return finalizes(known->type);
    return known->references && Py_REFCNT(known->type) > known->references;
}

static int any_has_learnt(void) {
    for (size_t each = 0; each < type_count; each++) {
        if (has_learnt(&types[each])) return 1;
    }
    return 0;
}

/* Called for each object before the memory is written. */
void cannery_look_for_hidden(PyObject *object) {
    if (!PyObject_IS_GC(object) && finalizes(Py_TYPE(object))) has_hidden = 1;
}

/* ------------------------------------------------------------------------------------ objects where the collector looks not */

static PyObject *last; /* of those that are frozen when the memory is written */
static int has_work_already, has_turned; /* an object in memory: has work at its end; has got another class since */
static const char *const streams[] = {"__stdin__", "__stdout__", "__stderr__"};
static PyObject *standard[3];
static setter set_class;

static int turn(PyObject *object, PyObject *kind, void *closure) {
    has_turned = 1;
    return set_class(object, kind, closure);
}

static int watch_classes(void) {
    PyObject *found = PyDict_GetItemString(_PyType_GetDict(&PyBaseObject_Type), "__class__");
    if (found == NULL || !Py_IS_TYPE(found, &PyGetSetDescr_Type)) return -1;
    PyGetSetDef *entry = ((PyGetSetDescrObject *)found)->d_getset;
    set_class = entry->set, entry->set = turn;
    return 0;
}

void cannery_keep_objects(int (*has_work)(PyObject *)) {
    PyObject *gc = PyImport_ImportModule("gc"), *done = NULL;
    last = PyList_New(0);
    if (gc != NULL && last != NULL) done = PyObject_CallMethod(gc, "freeze", NULL);
    if (done == NULL || watch_classes() < 0) Py_FatalError("objects can't be frozen for a snapshot");
    Py_DECREF(gc);
    Py_DECREF(done);
    any(frozen(), keep_type);
    has_work_already = any(frozen(), has_work);
    for (size_t each = 0; each < 3; each++) standard[each] = PySys_GetObject(streams[each]);
}

/* Whether objects in memory have work at their end. They are not looked at where none can have got any. */
static int frozen_have_work(int (*has_work)(PyObject *)) {
    int is_same = !has_work_already && !has_turned && _PyGCHead_PREV(frozen()) == _Py_AS_GC(last) && !any_has_learnt();
    for (size_t each = 0; each < 3; each++) is_same &= standard[each] == PySys_GetObject(streams[each]);
    return !is_same && any(frozen(), has_work);
}

static int frozen_hide(void) {
    return has_hidden || (_PyGCHead_PREV(frozen()) == _Py_AS_GC(last) ? any_has_learnt() : any(frozen(), hides));
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
    return end.is_known && !is_heard(PyInterpreterState_Get()) && !frozen_hide() && !any_of_others(hides) &&
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
    if (is_settled && !frozen_have_work(has_work)) {
        if (can_end()) end_now();
        return 1;
    }
    give_back();
    return 0;
}
