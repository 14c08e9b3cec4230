/* Stands in for parts of CPython's inner side that a kit leaves out. They differ by version: for a new one, see what the
   object files in cpython.py's _REPLACED define and who asks for it. */

#define Py_BUILD_CORE 1
#include <Python.h>
#include <internal/pycore_initconfig.h>

/* The path configuration is known: nothing is looked for on the disk (compare CPython's Modules/getpath_noop.c). */
PyStatus _PyConfig_InitPathConfig(PyConfig *config, int compute) {
    (void)config, (void)compute;
    return PyStatus_Ok();
}

#if PY_VERSION_HEX < 0x030d0000
/* CPython's own frozen modules are left out, and with them what 3.11 and 3.12 make of them ahead. */
#include <internal/pycore_pylifecycle.h>
int _Py_Deepfreeze_Init(void) { return 0; }
void _Py_Deepfreeze_Fini(void) {}
#endif
