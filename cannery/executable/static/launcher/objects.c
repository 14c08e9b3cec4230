/* What depends on the hash secret in memory that is written, so that hashes.c can renew it.

   Strings are found by looking at every place in memory: what has the type of a string, and keeps the hash that its characters
   have, is one, as nothing else has those 64 bits. Dictionaries and sets are found by visiting all objects, from the collector's
   lists, the types and the interned strings on. */

#define Py_BUILD_CORE 1
#define _GNU_SOURCE
#include <Python.h>
#include <datetime.h>
#include <internal/pycore_code.h>
#include <internal/pycore_dict.h>
#include <internal/pycore_gc.h>
#include <internal/pycore_hashtable.h>
#include <internal/pycore_interp.h>
#include <internal/pycore_pyhash.h>
#include <internal/pycore_pylifecycle.h>
#include <internal/pycore_pystate.h>
#include <internal/pycore_runtime.h>
#include <internal/pycore_typeobject.h>
#include <stdlib.h>
#include <string.h>

#include "hashes.h"
#include "memory.h"
#include "snapshot.h"

#define PAGE ((uintptr_t)4096)
#define SHORTEST 8 /* pages that the kernel is asked for in one go */

struct cannery_hashed cannery_hashed;

static void add(struct cannery_list *list, void *item) {
    if (list->count == list->room) {
        list->room = list->room ? 2 * list->room : 1024;
        list->items = realloc(list->items, list->room * sizeof *list->items);
        if (list->items == NULL) Py_FatalError("no memory for a snapshot");
    }
    list->items[list->count++] = item;
}

/* ------------------------------------------------------------------------------------------------- all objects there are */

static struct cannery_list waiting;
static PyObject **seen; /* an open table by address */
static size_t seen_count, seen_room;

static size_t place_of(PyObject *object, PyObject **table, size_t room) {
    size_t at = ((uintptr_t)object >> 4) * 0x9E3779B97F4A7C15u >> 20 & (room - 1);
    while (table[at] != NULL && table[at] != object) at = (at + 1) & (room - 1);
    return at;
}

static void widen(void) {
    size_t room = seen_room ? 2 * seen_room : 1 << 16;
    PyObject **wider = calloc(room, sizeof *wider);
    if (wider == NULL) Py_FatalError("no memory for a snapshot");
    for (size_t each = 0; each < seen_room; each++) {
        if (seen[each] != NULL) wider[place_of(seen[each], wider, room)] = seen[each];
    }
    free(seen);
    seen = wider, seen_room = room;
}

static int visit(PyObject *object, void *nothing) {
    (void)nothing;
    if (object == NULL) return 0;
    if (2 * seen_count >= seen_room) widen();
    size_t at = place_of(object, seen, seen_room);
    if (seen[at] != NULL) return 0;
    seen[at] = object, seen_count++;
    add(&waiting, object);
    return 0;
}

static void visit_keys(PyDictKeysObject *keys) {
    for (Py_ssize_t each = 0; each < keys->dk_nentries; each++) {
        visit(DK_IS_UNICODE(keys) ? DK_UNICODE_ENTRIES(keys)[each].me_key : DK_ENTRIES(keys)[each].me_key, NULL);
    }
}

static void visit_type(PyTypeObject *type) {
    if (PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE)) {
        PyHeapTypeObject *whole = (PyHeapTypeObject *)type;
        visit(whole->ht_name, NULL), visit(whole->ht_qualname, NULL), visit(whole->ht_slots, NULL);
    }
    PyObject *mro = _PyType_GetMRO(type), *bases = _PyType_GetBases(type), *below = _PyType_GetSubclasses(type);
    if (below == NULL) PyErr_Clear();
    visit(_PyType_GetDict(type), NULL), visit(mro, NULL), visit(bases, NULL);
    for (Py_ssize_t each = 0; below != NULL && each < PyList_GET_SIZE(below); each++) visit(PyList_GET_ITEM(below, each), NULL);
    Py_XDECREF(mro); /* or else no type would go at the program's end, and nothing that its methods lead to */
    Py_XDECREF(bases);
    Py_XDECREF(below);
}

/* What an object refers to, as far as its own traversal leaves it out. */
static void visit_more(PyObject *object) {
    PyTypeObject *type = Py_TYPE(object);
    if (PyType_Check(object)) visit_type((PyTypeObject *)object);
    if (PyDict_Check(object)) visit_keys(((PyDictObject *)object)->ma_keys);
    if (PyWeakref_Check(object)) visit(((PyWeakReference *)object)->wr_object, NULL);
    if (PyCFunction_Check(object)) visit(((PyCFunctionObject *)object)->m_module, NULL);
    if (PyCode_Check(object)) {
        PyCodeObject *code = (PyCodeObject *)object;
        visit(code->co_consts, NULL), visit(code->co_names, NULL), visit(code->co_localsplusnames, NULL);
        visit(code->co_filename, NULL), visit(code->co_name, NULL), visit(code->co_qualname, NULL);
        visit(code->co_linetable, NULL), visit(code->co_exceptiontable, NULL);
    }
    if (type == &PyGetSetDescr_Type || type == &PyMemberDescr_Type || type == &PyMethodDescr_Type ||
        type == &PyWrapperDescr_Type || type == &PyClassMethodDescr_Type) {
        visit(((PyDescrObject *)object)->d_name, NULL), visit(((PyDescrObject *)object)->d_qualname, NULL);
    }
    visit((PyObject *)type, NULL);
}

static void visit_generation(PyGC_Head *head) {
    for (PyGC_Head *each = _PyGCHead_NEXT(head); each != head; each = _PyGCHead_NEXT(each)) visit(_Py_FROM_GC(each), NULL);
}

static int visit_static(_Py_hashtable_t *table, const void *key, const void *value, void *nothing) {
    (void)table, (void)value;
    return visit((PyObject *)key, nothing);
}

static void visit_roots(PyInterpreterState *interpreter) {
    for (int each = 0; each < NUM_GENERATIONS; each++) visit_generation(&interpreter->gc.generations[each].head);
    visit_generation(&interpreter->gc.permanent_generation.head);
    visit((PyObject *)&PyBaseObject_Type, NULL);
    visit(interpreter->cached_objects.interned_strings, NULL);
    _Py_hashtable_foreach(_PyRuntime.cached_objects.interned_strings, visit_static, NULL);
    for (const char *at = (char *)&_PyRuntime.static_objects; at < (char *)(&_PyRuntime.static_objects + 1); at += sizeof(void *)) {
        PyTypeObject *type = ((PyObject *)at)->ob_type; /* strings and bytes of Python's own, one after another */
        if (type == &PyUnicode_Type || type == &PyBytes_Type) visit((PyObject *)at, NULL);
    }
}

/* --------------------------------------------------------------------------------------------------- what depends on hashes */

static void note_keys(PyDictKeysObject *keys) {
    if (keys->dk_nentries == 0) return;
    if (DK_IS_UNICODE(keys)) {
        add(&cannery_hashed.tables, keys);
        return;
    }
    for (Py_ssize_t each = 0; each < keys->dk_nentries; each++) {
        PyObject *key = DK_ENTRIES(keys)[each].me_key;
        if (key != NULL && !cannery_is_by_address(key)) {
            add(&cannery_hashed.general, keys);
            return;
        }
    }
}

static void note_set(PySetObject *set) {
    for (Py_ssize_t each = 0; each <= set->mask; each++) {
        setentry *entry = &set->table[each];
        if (entry->key != NULL && entry->hash != -1 && !cannery_is_by_address(entry->key)) {
            add(&cannery_hashed.sets, set);
            return;
        }
    }
}

/* Dates and times keep their hashes. Where no module has imported them there are none. */
static int is_time(PyObject *object) {
    if (PyDateTimeAPI == NULL) return 0;
    return PyDate_Check(object) || PyTime_Check(object) || PyDelta_Check(object);
}

static void note(PyObject *object) {
    cannery_look_for_hidden(object);
    if (PyUnicode_Check(object) && !PyUnicode_CheckExact(object)) ((PyASCIIObject *)object)->hash = -1; /* of a class of its own */
    if (PyBytes_Check(object) && !PyBytes_CheckExact(object)) cannery_forget_bytes((PyBytesObject *)object);
    if (is_time(object)) add(&cannery_hashed.times, object);
    if (PyDict_Check(object)) {
        note_keys(((PyDictObject *)object)->ma_keys);
        if (PyODict_Check(object)) add(&cannery_hashed.ordered, object);
    } else if (PyAnySet_Check(object)) {
        note_set((PySetObject *)object);
    } else if (PyWeakref_Check(object)) {
        if (((PyWeakReference *)object)->hash != -1) add(&cannery_hashed.references, object);
    } else if (PyType_Check(object) && PyType_HasFeature((PyTypeObject *)object, Py_TPFLAGS_HEAPTYPE)) {
        PyDictKeysObject *keys = ((PyHeapTypeObject *)object)->ht_cached_keys;
        if (keys != NULL) visit_keys(keys), note_keys(keys);
    }
}

static int is_within(const struct cannery_region *region, const char *begin, Py_ssize_t size) {
    return size >= 0 && begin >= region->begin && begin <= region->end && size <= region->end - begin;
}

/* Whether a string that keeps its hash is at a place whose second word says that it's one. */
static int is_text(const struct cannery_region *region, PyObject *object) {
    PyASCIIObject *text = (PyASCIIObject *)object;
    Py_ssize_t room = region->end - (char *)object;
    if (room < (Py_ssize_t)sizeof(PyUnicodeObject) || text->hash == -1 || !text->state.compact || !text->state.kind) return 0;
    if (text->length <= 0 || text->length > room) return 0;
    const char *data = (const char *)object + (text->state.ascii ? sizeof(PyASCIIObject) : sizeof(PyCompactUnicodeObject));
    Py_ssize_t size = text->length * text->state.kind;
    return is_within(region, data, size) && _Py_HashBytes(data, size) == text->hash;
}

static int are_bytes(const struct cannery_region *region, PyObject *object) {
    PyBytesObject *bytes = (PyBytesObject *)object;
    _Py_COMP_DIAG_PUSH _Py_COMP_DIAG_IGNORE_DEPR_DECLS
    Py_ssize_t room = region->end - (char *)object, size = Py_SIZE(bytes);
    if (room < (Py_ssize_t)sizeof(PyBytesObject) || bytes->ob_shash == -1 || size <= 0 || size > room) return 0;
    return is_within(region, bytes->ob_sval, size) && _Py_HashBytes(bytes->ob_sval, size) == bytes->ob_shash;
    _Py_COMP_DIAG_POP
}

static void find_texts(struct cannery_region region) {
    for (char *at = region.begin; at + sizeof(PyObject) <= region.end; at += sizeof(void *)) {
        PyTypeObject *type = ((PyObject *)at)->ob_type;
        if (type == &PyUnicode_Type ? is_text(&region, (PyObject *)at) : type == &PyBytes_Type && are_bytes(&region, (PyObject *)at)) {
            add(&cannery_hashed.texts, at);
        }
    }
}

/* CPython's tables in C, that of static strings and that of names of OpenSSL's hashes: all have one function in them. */
static void find_chained(struct cannery_region region) {
    _Py_hashtable_get_entry_func mark = _PyRuntime.cached_objects.interned_strings->get_entry_func;
    for (char *at = region.begin; at + sizeof(_Py_hashtable_t) <= region.end; at += sizeof(void *)) {
        _Py_hashtable_t *table = (_Py_hashtable_t *)at;
        if (table->get_entry_func == mark && table->nbuckets && is_within(&region, (char *)table->buckets, 0)) add(&cannery_hashed.chained, at);
    }
}

static void forget(PyObject *text) {
    if (PyBytes_Check(text)) cannery_forget_bytes((PyBytesObject *)text);
    else ((PyASCIIObject *)text)->hash = -1;
}

/* A table of strings finds its keys by the hashes that these keep. All other strings hash themselves again when somebody asks,
   so no process has to write to them. */
static void forget_all_but_keys(void) {
    size_t kept = 0;
    memset(seen, 0, seen_room * sizeof *seen), seen_count = 0;
    for (size_t each = 0; each < cannery_hashed.tables.count; each++) visit_keys(cannery_hashed.tables.items[each]);
    for (size_t each = 0; each < cannery_hashed.texts.count; each++) {
        PyObject *text = cannery_hashed.texts.items[each];
        if (seen[place_of(text, seen, seen_room)] == text) cannery_hashed.texts.items[kept++] = text;
        else forget(text);
    }
    cannery_hashed.texts.count = kept;
}

static int by_address(const void *one, const void *other) {
    uintptr_t first = *(const uintptr_t *)one, second = *(const uintptr_t *)other;
    return first < second ? -1 : first > second;
}

/* In the order of their addresses, each once: dictionaries share keys. */
static void settle(struct cannery_list *list) {
    size_t kept = 0;
    if (list->count) qsort(list->items, list->count, sizeof *list->items, by_address);
    for (size_t each = 0; each < list->count; each++) {
        if (!each || list->items[each] != list->items[each - 1]) list->items[kept++] = list->items[each];
    }
    list->count = kept;
}

/* Pages side by side that each process writes to. */
static void add_runs(const struct cannery_list *list) {
    uintptr_t begin = 0, end = 0;
    for (size_t each = 0; each <= list->count; each++) {
        uintptr_t page = each < list->count ? (uintptr_t)list->items[each] & -PAGE : UINTPTR_MAX;
        if (page <= end + PAGE) {
            end = page + PAGE > end ? page + PAGE : end;
            continue;
        }
        if (end - begin >= SHORTEST * PAGE) add(&cannery_hashed.runs, (void *)begin), add(&cannery_hashed.runs, (void *)end);
        begin = page, end = page + PAGE;
    }
}

void cannery_find_hashes(void) {
    if (PyDict_GetItemString(PyImport_GetModuleDict(), "datetime") != NULL) PyDateTime_IMPORT;
    visit_roots(_PyInterpreterState_GET());
    while (waiting.count) {
        PyObject *object = waiting.items[--waiting.count];
        traverseproc traverse = Py_TYPE(object)->tp_traverse;
        int is_static = PyType_Check(object) && !PyType_HasFeature((PyTypeObject *)object, Py_TPFLAGS_HEAPTYPE);
        visit_more(object);
        if (traverse != NULL && !is_static) traverse(object, visit, NULL);
        note(object);
    }
    find_texts(cannery_heap());
    find_chained(cannery_heap()), find_chained(cannery_tables());
    find_texts((struct cannery_region){(char *)&_PyRuntime, (char *)(&_PyRuntime + 1)});
    forget_all_but_keys();
    free(seen), free(waiting.items);
    seen = NULL, seen_room = seen_count = 0, waiting = (struct cannery_list){0, 0, NULL};
    struct cannery_list *all[] = {&cannery_hashed.texts, &cannery_hashed.tables, &cannery_hashed.general, &cannery_hashed.sets, &cannery_hashed.ordered, &cannery_hashed.references, &cannery_hashed.times, &cannery_hashed.chained};
    for (size_t each = 0; each < sizeof all / sizeof *all; each++) settle(all[each]);
    add_runs(&cannery_hashed.texts), add_runs(&cannery_hashed.tables);
}
