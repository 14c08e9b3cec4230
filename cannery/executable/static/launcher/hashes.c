/* A hash secret of each process's own, though its strings, dictionaries and sets were made with another.

   When a process goes on, strings are hashed anew, then dictionaries and sets are put in order by that. What is hashed by its
   address, or is a number, stays where it is. objects.c has found them all. */

#define Py_BUILD_CORE 1
#define _GNU_SOURCE
#include <Python.h>
#include <datetime.h>
#include <internal/pycore_dict.h>
#include <internal/pycore_hashtable.h>
#include <internal/pycore_pyhash.h>
#include <internal/pycore_pylifecycle.h>
#include <internal/pycore_runtime.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "hashes.h"
#include "snapshot.h"

int cannery_is_by_address(PyObject *key) {
    hashfunc hash = Py_TYPE(key)->tp_hash;
    return hash == PyBaseObject_Type.tp_hash || hash == PyType_Type.tp_hash || hash == PyLong_Type.tp_hash ||
           hash == PyFloat_Type.tp_hash || hash == _PyNone_Type.tp_hash;
}

void cannery_forget_bytes(PyBytesObject *bytes) {
    _Py_COMP_DIAG_PUSH _Py_COMP_DIAG_IGNORE_DEPR_DECLS
    bytes->ob_shash = -1;
    _Py_COMP_DIAG_POP
}

static Py_ssize_t index_at(PyDictKeysObject *keys, size_t at) {
    int size = keys->dk_log2_size;
    if (size < 8) return ((int8_t *)keys->dk_indices)[at];
    if (size < 16) return ((int16_t *)keys->dk_indices)[at];
    return size < 32 ? ((int32_t *)keys->dk_indices)[at] : ((int64_t *)keys->dk_indices)[at];
}

static void put_index(PyDictKeysObject *keys, Py_hash_t hash, Py_ssize_t index) {
    size_t mask = ((size_t)1 << keys->dk_log2_size) - 1, at = (size_t)hash & mask;
    for (size_t perturb = hash; index_at(keys, at) != DKIX_EMPTY;) perturb >>= 5, at = mask & (at * 5 + perturb + 1);
    int size = keys->dk_log2_size;
    if (size < 8) ((int8_t *)keys->dk_indices)[at] = index;
    else if (size < 16) ((int16_t *)keys->dk_indices)[at] = index;
    else if (size < 32) ((int32_t *)keys->dk_indices)[at] = index;
    else ((int64_t *)keys->dk_indices)[at] = index;
}

static void clear_indices(PyDictKeysObject *keys) { memset(keys->dk_indices, 0xff, (size_t)1 << keys->dk_log2_index_bytes); }

static Py_hash_t renewed(PyObject *key, Py_hash_t before) {
    if (cannery_is_by_address(key)) return before;
    Py_hash_t hash = PyObject_Hash(key);
    if (hash == -1) PyErr_Clear();
    return hash == -1 ? before : hash;
}

static void renew_texts(void) {
    for (size_t each = 0; each < cannery_hashed.texts.count; each++) {
        PyObject *text = cannery_hashed.texts.items[each];
        Py_ssize_t size = PyUnicode_GET_LENGTH(text) * PyUnicode_KIND(text);
        ((PyASCIIObject *)text)->hash = _Py_HashBytes(PyUnicode_DATA(text), size);
    }
}

static void renew_tables(void) {
    for (size_t each = 0; each < cannery_hashed.tables.count; each++) {
        PyDictKeysObject *keys = cannery_hashed.tables.items[each];
        PyDictUnicodeEntry *entries = DK_UNICODE_ENTRIES(keys);
        clear_indices(keys);
        for (Py_ssize_t index = 0; index < keys->dk_nentries; index++) {
            if (entries[index].me_key != NULL) put_index(keys, ((PyASCIIObject *)entries[index].me_key)->hash, index);
        }
    }
}

static void renew_chained(_Py_hashtable_t *table) {
    _Py_slist_item_t *all = NULL;
    for (size_t each = 0; each < table->nbuckets; each++) {
        for (_Py_slist_item_t *item = table->buckets[each].head, *next; item != NULL; item = next) {
            next = item->next;
            item->next = all, all = item;
        }
        table->buckets[each].head = NULL;
    }
    for (_Py_slist_item_t *next; all != NULL; all = next) {
        _Py_hashtable_entry_t *entry = (_Py_hashtable_entry_t *)all;
        next = all->next;
        entry->key_hash = table->hash_func(entry->key);
        _Py_slist_t *bucket = &table->buckets[entry->key_hash & (table->nbuckets - 1)];
        all->next = bucket->head, bucket->head = all;
    }
}

#define PROBES 9 /* LINEAR_PROBES of setobject.c */

static void put_entry(PySetObject *set, setentry entry) {
    size_t perturb = entry.hash, mask = set->mask, at = entry.hash & mask;
    for (;;) {
        size_t last = at + PROBES <= mask ? at + PROBES : at;
        for (size_t each = at; each <= last; each++) {
            if (set->table[each].key == NULL) {
                set->table[each] = entry;
                return;
            }
        }
        perturb >>= 5, at = (at * 5 + 1 + perturb) & mask;
    }
}

static int is_entry(const setentry *entry) { return entry->key != NULL && entry->hash != -1; }

/* Whether hashes in a set have become others by this. */
static int hash_entries(PySetObject *set) {
    int changed = 0;
    for (setentry *entry = set->table; entry <= set->table + set->mask; entry++) {
        Py_hash_t hash = is_entry(entry) ? renewed(entry->key, entry->hash) : entry->hash;
        changed |= hash != entry->hash;
        entry->hash = hash;
    }
    return changed;
}

static void put_entries(PySetObject *set) {
    size_t size = (set->mask + 1) * sizeof(setentry);
    setentry *before = malloc(size);
    if (before == NULL) Py_FatalError("no memory to start");
    memcpy(before, set->table, size);
    memset(set->table, 0, size);
    set->fill = set->used;
    for (Py_ssize_t at = 0; at <= set->mask; at++) {
        if (is_entry(&before[at])) put_entry(set, before[at]);
    }
    free(before);
}

/* A frozen set's hash is made of those of its entries, and may be a part of that of another set's: once more through all
   until nothing changes, however deep they lie in one another. */
static void renew_sets(void) {
    for (int changed = 1; changed;) {
        changed = 0;
        for (size_t each = 0; each < cannery_hashed.sets.count; each++) ((PySetObject *)cannery_hashed.sets.items[each])->hash = -1;
        for (size_t each = 0; each < cannery_hashed.sets.count; each++) changed |= hash_entries(cannery_hashed.sets.items[each]);
    }
    for (size_t each = 0; each < cannery_hashed.sets.count; each++) put_entries(cannery_hashed.sets.items[each]);
}

static void renew_general(void) {
    for (size_t each = 0; each < cannery_hashed.general.count; each++) {
        PyDictKeysObject *keys = cannery_hashed.general.items[each];
        PyDictKeyEntry *entries = DK_ENTRIES(keys);
        for (Py_ssize_t index = 0; index < keys->dk_nentries; index++) {
            if (entries[index].me_key != NULL) entries[index].me_hash = renewed(entries[index].me_key, entries[index].me_hash);
        }
        clear_indices(keys);
        for (Py_ssize_t index = 0; index < keys->dk_nentries; index++) {
            if (entries[index].me_key != NULL) put_index(keys, entries[index].me_hash, index);
        }
    }
}

static void renew_times(void) {
    for (size_t each = 0; each < cannery_hashed.times.count; each++) ((PyDateTime_Date *)cannery_hashed.times.items[each])->hashcode = -1;
}

static void renew_references(void) {
    for (size_t each = 0; each < cannery_hashed.references.count; each++) {
        PyWeakReference *reference = cannery_hashed.references.items[each];
        if (reference->wr_object != Py_None && !cannery_is_by_address(reference->wr_object)) reference->hash = -1;
    }
}

/* As odictobject.c has them, and no header. */
struct node {
    PyObject *key;
    Py_hash_t hash;
    struct node *next, *previous;
};
struct ordered {
    PyDictObject dict;
    struct node *first, *last; /* and more that no hash is in */
};

static void renew_ordered(void) {
    for (size_t each = 0; each < cannery_hashed.ordered.count; each++) {
        struct node *node = ((struct ordered *)cannery_hashed.ordered.items[each])->first;
        for (; node != NULL; node = node->next) node->hash = renewed(node->key, node->hash);
    }
}

/* The kernel copies pages in one go at less expense than one by one as they are written to. Kernels before 5.14 don't. */
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
static void take_pages(void) {
    for (size_t each = 0; each < cannery_hashed.runs.count; each += 2) {
        char *begin = cannery_hashed.runs.items[each], *end = cannery_hashed.runs.items[each + 1];
        madvise(begin, end - begin, MADV_POPULATE_WRITE);
    }
}

void cannery_renew_hashes(void) {
    take_pages();
    if (_PyOS_URandomNonblock(&_Py_HashSecret, sizeof _Py_HashSecret) < 0) Py_FatalError("no random numbers to start with");
    renew_texts();
    renew_tables();
    for (size_t each = 0; each < cannery_hashed.chained.count; each++) renew_chained(cannery_hashed.chained.items[each]);
    renew_times();
    renew_references();
    renew_sets();
    renew_general();
    renew_ordered();
}
