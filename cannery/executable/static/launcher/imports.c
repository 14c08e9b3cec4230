/* What is imported while memory is written, and what a process then has to have in common with that. */

#define _GNU_SOURCE
#include <Python.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "app.h"
#include "snapshot.h"
#include "start.h"

static const char *wanted, *unwanted; /* modules, with commas between */

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

/* Those that Python itself has asked for, where it does. */
static void assume_pythons(void) {
    for (char **each = environ; CANNERY_USE_ENVIRONMENT && each != NULL && *each != NULL; each++) {
        char *name = strndup(*each, strcspn(*each, "="));
        if (strncmp(name, "PYTHON", 6) == 0 && strcmp(name, "PYTHONHASHSEED") != 0) assume_variable(name);
        free(name);
    }
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
    assume_pythons();
    assume_noted(notes, "variable", assume_variable);
    assume_noted(notes, "absent", assume_absent);
    cannery_assumed.user = cannery_assumed.group = -1;
    if (is_in(notes, "user")) cannery_assumed.user = geteuid(), cannery_assumed.group = getegid();
    if (is_in(notes, "folder")) cannery_assumed.folder = getcwd(NULL, 0);
}

/* What imports take, by a clock that modules don't see, and in memory that is not written: it's different each time. */
#define MOST_NESTED 1000
#define ROOM_FOR_COSTS (1 << 20)
static struct costs {
    int depth;
    uint64_t begun[MOST_NESTED], within[MOST_NESTED]; /* nanoseconds */
    size_t length;
    char text[ROOM_FOR_COSTS]; /* a line each: a module, and its nanoseconds without those of what it imported */
} *costs;

static uint64_t processor_time(void) {
    struct timespec now;
    syscall(SYS_clock_gettime, CLOCK_PROCESS_CPUTIME_ID, &now);
    return now.tv_sec * 1000000000u + now.tv_nsec;
}

/* With no argument an import begins, with a module's name the last that began ends. */
static PyObject *time_import(PyObject *module, PyObject *const *arguments, Py_ssize_t count) {
    (void)module;
    if (count == 0) {
        costs->depth++;
        if (costs->depth < MOST_NESTED) costs->begun[costs->depth] = processor_time(), costs->within[costs->depth] = 0;
        Py_RETURN_NONE;
    }
    int depth = costs->depth--;
    const char *name = PyUnicode_AsUTF8(arguments[0]);
    if (name == NULL) return NULL;
    if (depth >= MOST_NESTED || costs->length + strlen(name) + 30 > ROOM_FOR_COSTS) Py_RETURN_NONE;
    uint64_t took = processor_time() - costs->begun[depth], own = took - costs->within[depth];
    costs->within[depth - 1] += took;
    costs->length += sprintf(costs->text + costs->length, "%s %llu\n", name, (unsigned long long)own);
    Py_RETURN_NONE;
}
static PyMethodDef timer = {"time_import", (PyCFunction)(void (*)(void))time_import, METH_FASTCALL, NULL};

static int begin_costs(void) {
    void *place = (void *)syscall(SYS_mmap, NULL, sizeof *costs, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    costs = place;
    return place == MAP_FAILED ? -1 : 0;
}

static int write_costs(void) {
    int failed = cannery_write_text(6, costs->text);
    munmap(costs, sizeof *costs);
    costs = NULL;
    return failed;
}

/* Imports what is wanted; returns what is told of it (snapshot.py), and the notes. */
static PyObject *import_wanted(char **notes) {
    if (begin_costs() < 0 || cannery_begin_listening() < 0) return NULL;
    cannery_begin_notes();
    PyObject *told = cannery_call("prepare", Py_BuildValue("(ssN)", wanted, unwanted, PyCFunction_New(&timer, NULL)));
    *notes = cannery_end_notes();
    cannery_end_listening();
    return told;
}

static int import_for_names(void) {
    char *notes;
    return import_wanted(&notes) == NULL ? -1 : 0;
}

/* Writes what is told of the imports; returns 0 where the memory may be written as well. */
int cannery_import(const char *modules, const char *refused) {
    Py_XDECREF(PyImport_ImportModule("time")); /* which asks for the clock and the time zone, and is told of both again */
    wanted = modules, unwanted = refused;
    char *notes;
    PyObject *names = cannery_make_names(import_for_names), *told = names == NULL ? NULL : import_wanted(&notes);
    PyObject *variables, *noted, *late, *loaded;
    Py_XDECREF(names);
    if (told == NULL || !PyArg_ParseTuple(told, "UUUU", &variables, &noted, &late, &loaded)) return -1;
    assume(variables, notes);
    int failed = cannery_write_text(1, notes) < 0 || cannery_write_text(2, PyUnicode_AsUTF8(variables)) < 0 ||
                 cannery_write_text(3, PyUnicode_AsUTF8(noted)) < 0 || cannery_write_text(4, PyUnicode_AsUTF8(late)) < 0 ||
                 cannery_write_text(5, PyUnicode_AsUTF8(loaded)) < 0 || write_costs() < 0;
    free(notes);
    Py_DECREF(told);
    wanted = unwanted = NULL;
    return failed ? -1 : 0;
}

int cannery_stop_import(void) {
    PyObject *helper = PyImport_ImportModule("_cannery_snapshot");
    PyObject *kind = helper == NULL ? NULL : PyObject_GetAttrString(helper, "NotNow");
    if (kind != NULL) PyErr_SetString(kind, "it");
    Py_XDECREF(helper);
    Py_XDECREF(kind);
    return -1;
}
