/* Memory for Python's own allocator, and what lies in it while a snapshot is made: arenas, free blocks, tables. */

#define Py_BUILD_CORE 1
#define _GNU_SOURCE
#include <Python.h>
#include <stdbool.h>
#include <internal/pycore_obmalloc.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "snapshot.h"

#define MOST_ARENAS 4096

static char *arenas[MOST_ARENAS]; /* while building */
static int arena_count;

static void *arena_alloc(void *context, size_t size) {
    (void)context;
    char *arena = cannery_take_pages(size);
    if (cannery_is_building() && arena != NULL && size == ARENA_SIZE) { /* frames of Python's are of other sizes */
        if (arena_count == MOST_ARENAS) Py_FatalError("a snapshot has too much memory");
        arenas[arena_count++] = arena;
    }
    return arena;
}

/* Tables of dictionaries and sets lie side by side: each process writes to all of them when it has its own hashes. What is made
   after that comes from Python's own allocator again. */
static PyMemAllocatorEx pythons;

static void *table_malloc(void *context, size_t size) { return cannery_is_building() ? cannery_table(size) : pythons.malloc(context, size); }

static void *table_calloc(void *context, size_t count, size_t size) {
    if (!cannery_is_building()) return pythons.calloc(context, count, size);
    size_t all;
    if (__builtin_mul_overflow(count, size, &all)) return NULL;
    void *block = cannery_table(all);
    return block == NULL ? NULL : memset(block, 0, all);
}

static void *table_realloc(void *context, void *block, size_t size) {
    if (block == NULL) return table_malloc(context, size);
    if (!cannery_is_table(block)) return pythons.realloc(context, block, size);
    if (cannery_is_building()) return realloc(block, size);
    size_t before = malloc_usable_size(block);
    void *other = pythons.malloc(context, size);
    if (other == NULL) return NULL;
    memcpy(other, block, before < size ? before : size);
    free(block);
    return other;
}

static void table_free(void *context, void *block) {
    if (cannery_is_table(block)) free(block);
    else pythons.free(context, block);
}

void cannery_use_tables(void) {
    PyMem_GetAllocator(PYMEM_DOMAIN_MEM, &pythons);
    PyMemAllocatorEx own = {pythons.ctx, table_malloc, table_calloc, table_realloc, table_free};
    PyMem_SetAllocator(PYMEM_DOMAIN_MEM, &own);
}

/* Blocks of Python's allocator that are free keep what was in them: what is left of numbers and names of this process. A pool
   with some of them becomes a full one, until something in it is freed: else what a process makes would lie here and there, each
   time in another page that the kernel has to copy. */
static void clear_pool(struct pool_header *pool) {
    size_t size = INDEX2SIZE(pool->szidx);
    if (pool->nextoffset == 0) return; /* never used */
    if (pool->ref.count == 0) {
        memset((char *)pool + POOL_OVERHEAD, 0, POOL_SIZE - POOL_OVERHEAD);
        pool->szidx = DUMMY_SIZE_IDX; /* or else its list of free blocks would be gone on with */
        return;
    }
    for (pymem_block *block = pool->freeblock; block != NULL; block = *(pymem_block **)block) {
        memset(block + sizeof(void *), 0, size - sizeof(void *));
    }
    if (pool->nextoffset < POOL_SIZE) memset((char *)pool + pool->nextoffset, 0, POOL_SIZE - pool->nextoffset);
    if (pool->freeblock == NULL) return;
    pool->nextpool->prevpool = pool->prevpool, pool->prevpool->nextpool = pool->nextpool;
    pool->freeblock = NULL, pool->nextoffset = pool->maxnextoffset + 1;
}

void cannery_clear_pools(void) {
    for (int each = 0; each < arena_count; each++) {
        uintptr_t first = ((uintptr_t)arenas[each] + POOL_SIZE - 1) & ~(uintptr_t)(POOL_SIZE - 1);
        uintptr_t end = (uintptr_t)arenas[each] + ARENA_SIZE;
        for (uintptr_t pool = first; pool + POOL_SIZE <= end; pool += POOL_SIZE) clear_pool((struct pool_header *)pool);
    }
}

static void arena_free(void *context, void *arena, size_t size) {
    (void)context;
    for (int each = 0; each < arena_count; each++) {
        if (arenas[each] == arena) arenas[each] = arenas[--arena_count];
    }
    cannery_give_pages(arena, size);
}

void cannery_use_own_memory(void) {
    PyObjectArenaAllocator allocator = {NULL, arena_alloc, arena_free};
    PyObject_SetArenaAllocator(&allocator);
}
