/* An extension module that asks for much of what one can: the C API, the C library, a library of its own, the system's zlib,
   storage of each thread, a constructor. */

#include <Python.h>
#include <dlfcn.h>
#include <link.h>

int helper_next(void);
const char *zlibVersion(void);
extern int nowhere_to_be_found(void) __attribute__((weak));

static _Thread_local int counter = 40;
static int constructed;
__attribute__((constructor)) static void construct(void) { constructed = 1; }
__attribute__((destructor)) static void destroy(void) { fputs("destroyed\n", stderr), fflush(stderr); }

static PyObject *count(PyObject *module, PyObject *nothing) {
    (void)module, (void)nothing;
    return PyLong_FromLong(++counter);
}

static int add_name(struct dl_phdr_info *info, size_t size, void *list) {
    PyObject *name = PyUnicode_FromString(info->dlpi_name ? info->dlpi_name : "");
    (void)size;
    return name == NULL || PyList_Append(list, name) < 0 || (Py_DECREF(name), 0);
}

static PyObject *about(PyObject *module, PyObject *nothing) {
    Dl_info found;
    PyObject *loaded = PyList_New(0);
    (void)module, (void)nothing;
    dl_iterate_phdr(add_name, loaded);
    dladdr((void *)about, &found);
    return Py_BuildValue("{s:i,s:i,s:s,s:i,s:s,s:N}", "constructed", constructed, "helper", helper_next(), "zlib", zlibVersion(),
                         "weak", nowhere_to_be_found != NULL, "dladdr", found.dli_fname, "loaded", loaded);
}

static PyMethodDef functions[] = {{"count", count, METH_NOARGS, NULL}, {"about", about, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "fast", NULL, 0, functions, NULL, NULL, NULL, NULL};
PyMODINIT_FUNC PyInit_fast(void) { return PyModule_Create(&definition); }
