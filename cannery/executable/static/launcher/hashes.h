/* What depends on the hash secret: found by objects.c when memory is written, renewed by hashes.c in each process. */

#include <stddef.h>

struct cannery_list {
    size_t count, room;
    void **items;
};

extern struct cannery_hashed {
    struct cannery_list texts; /* strings that are keys of dictionaries, and keep their hashes */
    struct cannery_list tables, general; /* keys of dictionaries: strings alone; of any kind */
    struct cannery_list sets, ordered; /* sets; dictionaries that keep an order of their own */
    struct cannery_list references, times; /* weak references, dates and times that keep a hash */
    struct cannery_list chained; /* CPython's tables in C */
    struct cannery_list runs; /* pages side by side that all these lie in: where a run begins, and where it ends */
} cannery_hashed;

int cannery_is_by_address(PyObject *key); /* or a number: the same with any secret */
void cannery_forget_bytes(PyBytesObject *bytes); /* the hash that they keep */
