/* The program: Python with its modules inside. It runs the app or, where it's called as `python` is, what that would run. */

#define _GNU_SOURCE
#include <Python.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "app.h"
#ifdef CANNERY_SNAPSHOT
#include "snapshot.h"
#endif

#define IMPORTER "_cannery_importer"
#define PROGRAM "_CANNERY_PROGRAM" /* where the packed file lies: from the stub that unpacked this one */
#define PARENT "CANNERY_PYTHON"    /* the program that started this one, directly or not */

static char program[PATH_MAX];

static PyObject *cannery_read(PyObject *module, PyObject *arguments) {
    Py_ssize_t offset, size;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "nn", &offset, &size)) return NULL;
    if (offset < 0 || size < 0 || offset + size > cannery_archive_end - cannery_archive) {
        PyErr_SetString(PyExc_ValueError, "outside of the archive");
        return NULL;
    }
    return PyMemoryView_FromMemory((char *)cannery_archive + offset, size, PyBUF_READ);
}

/* Pages of the archive that were read need not stay in this process: they are in the file, and can be read again. */
static PyObject *cannery_release(PyObject *module, PyObject *nothing) {
    uintptr_t page = sysconf(_SC_PAGESIZE);
    uintptr_t begin = ((uintptr_t)cannery_archive + page - 1) & -page, end = (uintptr_t)cannery_archive_end & -page;
    (void)module, (void)nothing;
    if (begin < end) madvise((void *)begin, end - begin, MADV_DONTNEED);
    Py_RETURN_NONE;
}

/* Whether `object` is one of Python's standard streams, or what lies below it. */
static int is_standard(PyObject *object) {
    static const char *const names[] = {"__stdin__", "__stdout__", "__stderr__"};
    for (size_t each = 0; each < sizeof names / sizeof *names; each++) {
        PyObject *text = PySys_GetObject(names[each]);
        if (text == NULL || text == Py_None) continue;
        PyObject *buffer = PyObject_GetAttrString(text, "buffer");
        PyObject *raw = buffer == NULL ? NULL : PyObject_GetAttrString(buffer, "raw");
        PyErr_Clear();
        int found = object == text || object == buffer || object == raw;
        Py_XDECREF(buffer);
        Py_XDECREF(raw);
        if (found) return 1;
    }
    return 0;
}

/* Whether `module` is the name of one of Python's own, or of a part of one. */
static int is_pythons(PyObject *module) {
    PyObject *names = PySys_GetObject("stdlib_module_names");
    Py_ssize_t end = PyUnicode_FindChar(module, '.', 0, PyUnicode_GET_LENGTH(module), 1);
    PyObject *top = PyUnicode_Substring(module, 0, end < 0 ? PyUnicode_GET_LENGTH(module) : end);
    int found = names != NULL && top != NULL && PySequence_Contains(names, top) == 1;
    Py_XDECREF(top);
    return found;
}

/* What Python's own weak references do when their objects go, nobody sees; weakref.finalize has done its work at exit. */
static int calls_back(PyObject *reference) {
    PyObject *callback = ((PyWeakReference *)reference)->wr_callback;
    if (callback == NULL || strcmp(Py_TYPE(callback)->tp_name, "finalize") == 0) return 0;
    if (PyCFunction_Check(callback)) return ((PyCFunctionObject *)callback)->m_module != NULL;
    PyObject *module = PyFunction_Check(callback) ? PyFunction_GetModule(callback) : NULL;
    return module == NULL || !PyUnicode_Check(module) || !is_pythons(module);
}

static int has_work_at_its_end(PyObject *object) {
    PyTypeObject *type = Py_TYPE(object);
    if (PyWeakref_Check(object)) return calls_back(object);
    return (type->tp_finalize != NULL || type->tp_del != NULL) && !is_standard(object);
}

/* Whether somebody has asked the collector to tell of its work. */
static int is_watched(PyObject *gc) {
    PyObject *callbacks = PyObject_GetAttrString(gc, "callbacks"), *debug = PyObject_CallMethod(gc, "get_debug", NULL);
    int nobody = callbacks != NULL && PyObject_IsTrue(callbacks) == 0 && debug != NULL && PyObject_IsTrue(debug) == 0;
    PyErr_Clear();
    Py_XDECREF(callbacks);
    Py_XDECREF(debug);
    return !nobody;
}

static int have_work(PyObject *gc) {
    PyObject *objects = PyObject_CallMethod(gc, "get_objects", NULL);
    int work = objects == NULL;
    for (Py_ssize_t each = 0; !work && each < PyList_GET_SIZE(objects); each++) {
        work = has_work_at_its_end(PyList_GET_ITEM(objects, each));
    }
    Py_XDECREF(objects);
    PyErr_Clear();
    return work;
}

/* The last of what runs at exit. Python looks for garbage three times more then, to finalize it. Where no object has
   anything to do at its end, nobody watches, and no other thread is left to make one, all are put where they are not
   looked at. The recipes with an ordinary Python have the same rules, in trees/payload/collecting.py. */
static PyObject *cannery_settle(PyObject *module, PyObject *nothing) {
    (void)module, (void)nothing;
    PyObject *gc = PyImport_ImportModule("gc");
    if (gc == NULL) return NULL;
    int is_settled = PyThreadState_Next(PyInterpreterState_ThreadHead(PyInterpreterState_Get())) == NULL && !is_watched(gc) && !have_work(gc);
#ifdef CANNERY_SNAPSHOT
    if (cannery_is_restored()) is_settled = cannery_end_at_once(has_work_at_its_end, is_settled);
#endif
    PyObject *done = is_settled ? PyObject_CallMethod(gc, "freeze", NULL) : Py_NewRef(Py_None);
    Py_DECREF(gc);
    return done;
}

static PyMethodDef functions[] = {
    {"read", cannery_read, METH_VARARGS, NULL},
    {"release", cannery_release, METH_NOARGS, NULL},
    {"settle", cannery_settle, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static int cannery_fill(PyObject *module) {
    if (PyModule_AddStringConstant(module, "COMPONENTS", CANNERY_COMPONENTS) < 0) return -1; /* for who looks into the file */
    if (PyModule_AddIntConstant(module, "INDEX", CANNERY_INDEX) < 0) return -1;
    return PyModule_AddIntConstant(module, "INDEX_SIZE", CANNERY_INDEX_SIZE);
}

/* What it has is the same for every interpreter in the process, and nothing of it changes. */
static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, cannery_fill},
#ifdef Py_mod_multiple_interpreters
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
#ifdef Py_mod_gil
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_cannery", NULL, 0, functions, slots, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__cannery(void) { return PyModuleDef_Init(&definition); }

static void find_program(void) {
    const char *packed = getenv(PROGRAM);
    ssize_t length = -1;
    if (packed != NULL && strlen(packed) < sizeof program) {
        strcpy(program, packed);
        unsetenv(PROGRAM);
        return;
    }
    length = readlink("/proc/self/exe", program, sizeof program - 1);
    program[length < 0 ? 0 : length] = '\0';
}

static int same_program_started_this(void) {
    char link[64], parent[PATH_MAX], own[PATH_MAX];
    const char *mark = getenv(PARENT);
    if (mark != NULL && strcmp(mark, program) == 0) return 1;
    snprintf(link, sizeof link, "/proc/%ld/exe", (long)getppid());
    ssize_t parents = readlink(link, parent, sizeof parent), mine = readlink("/proc/self/exe", own, sizeof own);
    return parents > 0 && parents == mine && memcmp(parent, own, mine) == 0;
}

static int is_source(const char *path) {
    size_t length = strlen(path);
    return length > 3 && strcmp(path + length - 3, ".py") == 0 && access(path, R_OK) == 0;
}

/* python, python3, python3.13: an app may be called python-something. */
static int is_python(const char *name) {
    return strncmp(name, "python", 6) == 0 && name[6 + strspn(name + 6, "0123456789.")] == '\0';
}

/* Whether the arguments are for Python: those that subprocess, multiprocessing and people give to sys.executable. */
static int is_called_as_python(int argc, char **argv) {
    const char *name = argc > 0 ? strrchr(argv[0], '/') : NULL;
    name = name != NULL ? name + 1 : argc > 0 ? argv[0] : "";
    if (is_python(name)) return 1;
    if (argc < 2 || !same_program_started_this()) return 0;
    return strcmp(argv[1], CANNERY_MAIN_FILE) == 0 || is_source(argv[1]) ||
           (argv[1][0] == '-' && argv[1][1] != '\0' && strchr("cmBEIOPSWXbdqsuv", argv[1][1]) != NULL);
}

static void exit_where(PyStatus status) {
    if (PyStatus_Exception(status)) Py_ExitStatusException(status);
}

/* Docstrings in C are left out, and with them signatures. That of classes without __init__ is object's (inspect). */
static void restore_signature(void) { PyBaseObject_Type.tp_doc = "object()\n--\n\n"; }

static void initialize(int argc, char **argv, int as_python) {
    PyPreConfig first;
    PyConfig config;
    PyPreConfig_InitPythonConfig(&first);
    first.utf8_mode = 1;
    first.use_environment = CANNERY_USE_ENVIRONMENT;
    first.parse_argv = 0;
    exit_where(Py_PreInitialize(&first));
    restore_signature();

    PyConfig_InitPythonConfig(&config);
#ifdef CANNERY_SNAPSHOT
    cannery_begin_building();
    if (cannery_is_building()) config.use_hash_seed = 1, config.hash_seed = 1; /* each process gets another */
#endif
    config.use_environment = CANNERY_USE_ENVIRONMENT;
    config.parse_argv = as_python;
    config.site_import = 0;
    config.user_site_directory = 0;
    config.safe_path = !as_python;
    config.write_bytecode = 0;
    config.optimization_level = CANNERY_OPTIMIZE;
    config.module_search_paths_set = 1;
    config.buffered_stdio = 0; /* as in every image of cannery */
    exit_where(PyConfig_SetBytesString(&config, &config.program_name, program));
    exit_where(PyConfig_SetBytesString(&config, &config.executable, program));
    exit_where(PyConfig_SetBytesString(&config, &config.base_executable, program));
    exit_where(PyConfig_SetBytesString(&config, &config.platlibdir, "lib"));
    exit_where(PyConfig_SetBytesString(&config, &config.prefix, CANNERY_PREFIX));
    exit_where(PyConfig_SetBytesString(&config, &config.exec_prefix, CANNERY_PREFIX));
    exit_where(PyConfig_SetBytesString(&config, &config.base_prefix, CANNERY_PREFIX));
    exit_where(PyConfig_SetBytesString(&config, &config.base_exec_prefix, CANNERY_PREFIX));
    exit_where(PyConfig_SetBytesArgv(&config, argc, argv));
    exit_where(Py_InitializeFromConfig(&config));
    PyConfig_Clear(&config);
}

static int import_importer(void) {
    PyObject *importer = PyImport_ImportModule(IMPORTER);
    PyObject *done = importer == NULL ? NULL : PyObject_CallMethod(importer, "install", NULL);
    Py_XDECREF(importer);
#ifdef CANNERY_EXTENSIONS
    if (done != NULL) Py_SETREF(done, PyImport_ImportModule(CANNERY_EXTENSIONS));
#endif
    Py_XDECREF(done);
    if (done == NULL) PyErr_Print();
    return done == NULL ? -1 : 0;
}

/* As Modules/main.c ends: 120 where what was written couldn't be flushed, SIGINT's own end for Ctrl-C. */
static int finish(int code, int interrupted) {
#ifdef CANNERY_SNAPSHOT
    cannery_will_end(code, interrupted);
#endif
    if (Py_FinalizeEx() < 0) code = 120;
    if (interrupted) {
        signal(SIGINT, SIG_DFL);
        kill(getpid(), SIGINT);
        return 128 + SIGINT;
    }
    return code;
}

static int run_app(void) {
    PyObject *importer = PyImport_ImportModule(IMPORTER), *code = NULL, *result = NULL;
    PyObject *main = PyImport_AddModule("__main__");
    if (importer != NULL && main != NULL) code = PyObject_CallMethod(importer, "prepare_main", "O", main);
    Py_XDECREF(importer);
    if (code != NULL) {
        PyObject *names = PyModule_GetDict(main);
        result = PyEval_EvalCode(code, names, names);
        Py_DECREF(code);
    }
    if (result != NULL) {
        Py_DECREF(result);
        return finish(0, 0);
    }
#ifdef CANNERY_SNAPSHOT
    int code_of_exit;
    if (cannery_is_exit(&code_of_exit)) return finish(code_of_exit, 0);
#endif
    int interrupted = PyErr_ExceptionMatches(PyExc_KeyboardInterrupt);
    PyErr_Print(); /* ends the process itself where it's a SystemExit */
    return finish(1, interrupted);
}

int main(int argc, char **argv) {
    find_program();
    int as_python = is_called_as_python(argc, argv);
    setenv(PARENT, program, 1);
    prctl(PR_SET_NAME, strrchr(program, '/') != NULL ? strrchr(program, '/') + 1 : program);
#ifdef CANNERY_SNAPSHOT
    if (cannery_is_restored()) return cannery_resume(argc, argv, program) < 0 ? finish(1, 0) : run_app();
#endif
    if (argc > 1 && as_python && strcmp(argv[1], CANNERY_MAIN_FILE) == 0) {
        as_python = 0; /* python main.py: the file is in here */
        argc--, argv++;
    }
    initialize(argc, argv, as_python);
    if (import_importer() < 0) return finish(1, 0);
#ifdef CANNERY_SNAPSHOT
    if (cannery_is_building()) return cannery_end_building(has_work_at_its_end);
#endif
    return as_python ? Py_RunMain() : run_app();
}
