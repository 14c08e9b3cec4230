/* Memory at the same addresses in every process, so that what lies in it can be written into the executable.

   It's the C library's malloc and the arenas of Python's own allocator in one region, and the tables that Python has while a
   snapshot is made in another. Each begins at an address of its own and only grows: no address is asked of the kernel but these,
   which no system that this runs on has anything at. What is freed is cleared while a snapshot is made: what lay there is not
   written with it. Small blocks are of one of few sizes, with a list of free ones for each; large ones are pages, the free ones
   of which are found by their size, first fit. What has never been handed out stays zero, and is no part of the file. */

#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "memory.h"

#define BASE ((char *)0x200000000000)
#define TABLES ((char *)0x1ff000000000)
#define ROOM ((size_t)1 << 40)   /* of addresses from BASE on; memory is taken as it's needed */
#define STEP ((size_t)1 << 20)   /* by which a region grows */
#define PAGE ((size_t)4096)
#define SLAB ((size_t)1 << 16)   /* pages of small blocks of one size */
#define HEADER ((size_t)16)      /* before each block: its size */
#define CLASSES 40
#define LARGEST ((size_t)32768)

struct free_block { struct free_block *next; };
struct free_pages { struct free_pages *next; size_t size; };

struct heap {
    char *limit;   /* where its addresses end */
    char *end;     /* of what is handed out */
    char *mapped;  /* of what is mapped */
    struct free_block *blocks[CLASSES];
    struct { char *next, *end; } slabs[CLASSES]; /* what was never handed out of those taken last */
    struct free_pages *pages; /* by address */
    char *in_file; /* what lies before this is part of the executable */
};
static struct heap common = {.limit = BASE + ROOM, .end = BASE, .mapped = BASE, .in_file = BASE};
static struct heap tables = {.limit = BASE, .end = TABLES, .mapped = TABLES, .in_file = TABLES};
static int clears; /* what is freed */
static atomic_flag taken = ATOMIC_FLAG_INIT;

static void lock(void) {
    while (atomic_flag_test_and_set_explicit(&taken, memory_order_acquire)) sched_yield();
}
static void unlock(void) { atomic_flag_clear_explicit(&taken, memory_order_release); }

int cannery_is_table(const void *block) { return (char *)block >= TABLES && (char *)block < BASE; }
static struct heap *heap_of(const void *block) { return cannery_is_table(block) ? &tables : &common; }

/* Sizes of small blocks: four between each power of two and the next. */
static size_t class_of(size_t size, size_t *rounded) {
    if (size <= 64) return *rounded = (size + 15) & ~(size_t)15, *rounded / 16 - 1;
    unsigned top = 63 - __builtin_clzll(size - 1);
    size_t quarter = (size_t)1 << (top - 2), over = (size - 1 - ((size_t)1 << top)) / quarter;
    *rounded = ((size_t)1 << top) + (over + 1) * quarter;
    return 4 + (top - 6) * 4 + over;
}

static char *grow(struct heap *heap, size_t size) {
    if ((size_t)(heap->limit - heap->end) < size) return NULL;
    if (heap->end + size > heap->mapped) {
        size_t more = (heap->end + size - heap->mapped + STEP - 1) & ~(STEP - 1);
        int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
        void *got = (void *)syscall(SYS_mmap, heap->mapped, more, PROT_READ | PROT_WRITE, flags, -1, 0); /* noted by nobody */
        if (got != heap->mapped) {
            if (got != MAP_FAILED) munmap(got, more); /* a kernel before 4.17 takes the address for a hint */
            return NULL;
        }
        heap->mapped += more;
    }
    char *found = heap->end;
    heap->end += size;
    return found;
}

static char *take_pages(struct heap *heap, size_t size) {
    for (struct free_pages **at = &heap->pages; *at != NULL; at = &(*at)->next) {
        struct free_pages *found = *at;
        if (found->size < size) continue;
        if (found->size == size) {
            *at = found->next;
        } else {
            struct free_pages *rest = (struct free_pages *)((char *)found + size);
            rest->next = found->next, rest->size = found->size - size;
            *at = rest;
        }
        found->next = NULL, found->size = 0;
        return (char *)found;
    }
    return grow(heap, size);
}

/* Pages that are given back are zero again, and take no memory. */
static void give_pages(struct heap *heap, char *begin, size_t size) {
    if (begin < heap->in_file) {
        memset(begin, 0, size); /* or else it would be read from the file again */
    } else {
        madvise(begin, size, MADV_DONTNEED);
    }
    struct free_pages **at = &heap->pages, *before = NULL, *own = (struct free_pages *)begin;
    while (*at != NULL && (char *)*at < begin) before = *at, at = &(*at)->next;
    own->next = *at, own->size = size;
    *at = own;
    if (own->next != NULL && begin + own->size == (char *)own->next) {
        struct free_pages *after = own->next;
        own->size += after->size, own->next = after->next;
        after->next = NULL, after->size = 0;
    }
    if (before != NULL && (char *)before + before->size == begin) {
        before->size += own->size, before->next = own->next;
        own->next = NULL, own->size = 0;
    }
}

static size_t *header(void *block) { return (size_t *)((char *)block - HEADER); }

static char *cut(struct heap *heap, size_t class, size_t rounded) {
    char *block = heap->slabs[class].next;
    if (block == heap->slabs[class].end) {
        char *slab = take_pages(heap, SLAB);
        if (slab == NULL) return NULL;
        block = slab + HEADER;
        heap->slabs[class].end = block + (SLAB - rounded - HEADER) / (rounded + HEADER) * (rounded + HEADER) + rounded + HEADER;
    }
    heap->slabs[class].next = block + rounded + HEADER;
    *(size_t *)(block - HEADER) = rounded;
    return block;
}

static void *take(struct heap *heap, size_t size, int *is_zero) {
    size_t rounded, class;
    *is_zero = 0;
    if (size > PTRDIFF_MAX - 2 * SLAB) return NULL;
    if (size > LARGEST) {
        size_t all = (size + HEADER + PAGE - 1) & ~(PAGE - 1);
        char *pages = take_pages(heap, all);
        if (pages == NULL) return NULL;
        *(size_t *)pages = all - HEADER;
        *is_zero = 1;
        return pages + HEADER;
    }
    class = class_of(size ? size : 1, &rounded);
    struct free_block *found = heap->blocks[class];
    if (found == NULL) return cut(heap, class, rounded);
    heap->blocks[class] = found->next;
    found->next = NULL;
    return found;
}

static void *take_from(struct heap *heap, size_t size) {
    int is_zero;
    lock();
    void *block = take(heap, size, &is_zero);
    unlock();
    if (block == NULL) errno = ENOMEM;
    return block;
}

void *malloc(size_t size) { return take_from(&common, size); }
void *cannery_table(size_t size) { return take_from(&tables, size); }

static void give(void *block) {
    struct heap *heap = heap_of(block);
    size_t size = *header(block), rounded;
    if (size > LARGEST) {
        *header(block) = 0;
        give_pages(heap, (char *)block - HEADER, size + HEADER);
        return;
    }
    if (clears) memset(block, 0, size);
    size_t class = class_of(size, &rounded);
    ((struct free_block *)block)->next = heap->blocks[class];
    heap->blocks[class] = block;
}

/* A block at an alignment says where the block is that it lies in. */
#define ALIGNED ((size_t)1 << 63)

void free(void *block) {
    if (block == NULL) return;
    int before = errno;
    lock();
    give(*header(block) & ALIGNED ? (char *)block - (*header(block) & ~ALIGNED) : block);
    unlock();
    errno = before;
}

size_t malloc_usable_size(void *block) {
    if (block == NULL) return 0;
    size_t size = *header(block), inner = size & ~ALIGNED;
    return size & ALIGNED ? *header((char *)block - inner) - inner : size;
}

void *calloc(size_t count, size_t size) {
    size_t all;
    int is_zero;
    if (__builtin_mul_overflow(count, size, &all)) return errno = ENOMEM, NULL;
    lock();
    void *block = take(&common, all, &is_zero);
    unlock();
    if (block == NULL) return errno = ENOMEM, NULL;
    return is_zero ? block : memset(block, 0, all);
}

void *realloc(void *block, size_t size) {
    if (block == NULL) return malloc(size);
    size_t now = malloc_usable_size(block);
    if (size <= now && (now <= 64 || size > now / 2)) return block;
    void *other = take_from(heap_of(block), size);
    if (other == NULL) return NULL;
    memcpy(other, block, size < now ? size : now);
    free(block);
    return other;
}

void *memalign(size_t alignment, size_t size) {
    if (alignment <= HEADER) return malloc(size);
    if (alignment & (alignment - 1) || size > PTRDIFF_MAX - alignment - HEADER) return errno = EINVAL, NULL;
    char *block = malloc(size + alignment + HEADER);
    if (block == NULL) return NULL;
    char *aligned = (char *)(((uintptr_t)block + HEADER + alignment - 1) & -alignment);
    *header(aligned) = (size_t)(aligned - block) | ALIGNED;
    return aligned;
}

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **result, size_t alignment, size_t size) {
    int before = errno;
    void *block = alignment < sizeof(void *) ? NULL : memalign(alignment, size);
    int failed = block != NULL ? 0 : alignment < sizeof(void *) ? EINVAL : errno;
    errno = before;
    if (!failed) *result = block;
    return failed;
}

void *cannery_take_pages(size_t size) {
    lock();
    char *pages = take_pages(&common, (size + PAGE - 1) & ~(PAGE - 1));
    unlock();
    return pages;
}

void cannery_give_pages(void *pages, size_t size) {
    lock();
    give_pages(&common, pages, (size + PAGE - 1) & ~(PAGE - 1));
    unlock();
}

void cannery_clear_freed(void) { clears = 1; }

struct cannery_region cannery_heap(void) { return (struct cannery_region){BASE, common.mapped}; }
struct cannery_region cannery_tables(void) { return (struct cannery_region){TABLES, tables.mapped}; }

/* Called before the memory is written: as it is then, it goes on. */
void cannery_keep_memory(void) {
    clears = 0;
    memset(common.blocks, 0, sizeof common.blocks); /* what a process makes lies side by side: few pages have to be copied */
    common.in_file = common.mapped;
    tables.in_file = tables.mapped;
}

/* musl calls it before a fork (-1), and after it in the parent and in the child. */
void __malloc_atfork(int who) {
    if (who < 0) lock();
    else unlock();
}
