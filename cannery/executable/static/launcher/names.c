/* Interned strings side by side in the memory that is written, so that few pages have to be written when a process hashes
   them anew.

   Left to themselves they lie all over the memory, each beside what was made at the same time. So a child imports everything
   once, for nothing but the names that are interned then. They are made before the parent imports anything, and held until
   it has; what nobody has asked for in the meantime goes. */

#define Py_BUILD_CORE 1
#define _GNU_SOURCE
#include <Python.h>
#include <fcntl.h>
#include <internal/pycore_interp.h>
#include <internal/pycore_pystate.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "snapshot.h"

static void write_names(FILE *stream) {
    PyObject *name, *value, *all = _PyInterpreterState_GET()->cached_objects.interned_strings;
    for (Py_ssize_t at = 0; PyDict_Next(all, &at, &name, &value);) {
        Py_ssize_t size;
        const char *text = PyUnicode_AsUTF8AndSize(name, &size);
        if (text == NULL) PyErr_Clear();
        else fwrite(&size, sizeof size, 1, stream), fwrite(text, 1, size, stream);
    }
    fclose(stream);
}

static PyObject *read_names(FILE *stream) {
    PyObject *all = PyList_New(0);
    char *text = NULL;
    for (Py_ssize_t size; fread(&size, sizeof size, 1, stream) == 1;) {
        text = realloc(text, size + 1);
        if (text == NULL || fread(text, 1, size, stream) != (size_t)size) break;
        PyObject *name = PyUnicode_DecodeUTF8(text, size, NULL);
        if (name != NULL) PyUnicode_InternInPlace(&name), PyList_Append(all, name);
        Py_XDECREF(name);
    }
    free(text);
    fclose(stream);
    return all;
}

PyObject *cannery_make_names(int (*import)(void)) {
    int ends[2], nowhere = open("/dev/null", O_WRONLY);
    if (nowhere < 0 || pipe(ends) < 0) return NULL;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(nowhere, STDERR_FILENO); /* what goes wrong, goes wrong once more */
        close(ends[0]), close(nowhere);
        if (import() == 0) write_names(fdopen(ends[1], "w"));
        _exit(0);
    }
    close(ends[1]), close(nowhere);
    PyObject *all = read_names(fdopen(ends[0], "r"));
    if (child > 0) waitpid(child, NULL, 0);
    return all;
}
