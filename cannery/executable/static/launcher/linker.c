/* musl's dynamic linker inside a static program: dlopen loads shared libraries that are part of the executable.

   It's musl's own source, ldso/dynlink.c, as it is. All that is different is around it: the program is the first library,
   with the symbols that others ask it for; and where the linker opens, reads and maps a file, the libraries in this
   executable are found first, by the paths that they would have on a disk. exports.py makes the tables. */

#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct cannery_library {
    const char *path;
    const unsigned char *start, *end; /* in this executable, at the beginning of a page */
};
struct cannery_exports {
    const char *name; /* of the library that has these symbols: the program's own, then those that it stands in for */
    void *symbols, *hash;
    char *strings;
};
extern const struct cannery_library cannery_libraries[]; /* the last has no path */
extern const struct cannery_exports cannery_exports[];   /* the last has no name */

/* What musl allocates for libraries is the program's memory as all other. */
void *__libc_malloc(size_t size) { return malloc(size); }
void *__libc_calloc(size_t count, size_t size) { return calloc(count, size); }
void *__libc_realloc(void *old, size_t size) { return realloc(old, size); }
void __libc_free(void *old) { free(old); }
void __malloc_donate(char *start, char *end) { (void)start, (void)end; }
int __malloc_replaced, __aligned_alloc_replaced;

static struct {
    int file; /* descriptor that stands for the library, until the next one is opened */
    const struct cannery_library *library;
    off_t offset; /* of the library in that file */
    int copied;   /* as the file can't be mapped there, or isn't this executable */
} opened = {.file = -1};

static off_t own_offset(const unsigned char *address); /* in the executable's file; -1 where it can't be mapped from there */

/* The path without ".", ".." and double slashes; 0 where it's too long or not absolute. */
static int normal_path(const char *path, char *target) {
    size_t length = 0;
    if (*path != '/') return 0;
    while (*path) {
        size_t size = strcspn(++path, "/");
        if (size == 2 && path[0] == '.' && path[1] == '.') {
            while (length && target[--length] != '/') continue;
        } else if (size && !(size == 1 && *path == '.')) {
            if (length + size + 2 > PATH_MAX) return 0;
            target[length++] = '/';
            memcpy(target + length, path, size);
            length += size;
        }
        path += size;
    }
    target[length] = 0;
    return 1;
}

static const struct cannery_library *own_library(const char *path) {
    char normal[PATH_MAX];
    if (!normal_path(path, normal)) return NULL;
    for (const struct cannery_library *each = cannery_libraries; each->path; each++)
        if (!strcmp(each->path, normal)) return each;
    return NULL;
}

static int is_this_executable(int file) {
    unsigned char there[64];
    return pread(file, there, sizeof there, opened.offset) == sizeof there &&
           !memcmp(there, opened.library->start, sizeof there);
}

static int own_open(const char *path, int flags) {
    opened.file = -1;
    opened.library = own_library(path);
    if (!opened.library) return open(path, flags);
    opened.offset = own_offset(opened.library->start);
    opened.file = opened.offset < 0 ? -1 : open("/proc/self/exe", flags);
    opened.copied = opened.file < 0 || !is_this_executable(opened.file);
    if (opened.file < 0) opened.file = open("/", O_PATH | O_CLOEXEC);
    return opened.file;
}

static int own_fstat(int file, struct stat *target) {
    int failed = fstat(file, target);
    if (!failed && file == opened.file) { /* one file holds them all: each needs a number of its own */
        target->st_dev = -1;
        target->st_ino = opened.library - cannery_libraries + 1;
    }
    return failed;
}

static ssize_t own_pread(int file, void *target, size_t size, off_t offset) {
    if (file != opened.file) return pread(file, target, size, offset);
    size_t all = opened.library->end - opened.library->start;
    size_t there = (size_t)offset < all ? all - offset : 0;
    size = size < there ? size : there;
    memcpy(target, opened.library->start + offset, size);
    return size;
}

static ssize_t own_read(int file, void *target, size_t size) {
    return file == opened.file ? own_pread(file, target, size, 0) : read(file, target, size);
}

static void *own_mmap(void *address, size_t size, int protection, int flags, int file, off_t offset) {
    if (file < 0 || file != opened.file) return mmap(address, size, protection, flags, file, offset);
    if (!opened.copied) return mmap(address, size, protection, flags, file, offset + opened.offset);
    void *map = mmap(address, size, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED) return map;
    own_pread(file, map, size, offset);
    return mprotect(map, size, protection) ? MAP_FAILED : map;
}

#define open(path, flags) own_open(path, flags)
#define fstat(file, target) own_fstat(file, target)
#define read(file, target, size) own_read(file, target, size)
#define pread(file, target, size, offset) own_pread(file, target, size, offset)
#define mmap(...) own_mmap(__VA_ARGS__)

/* The C library of this program has started it already, and ends it: these are not for it. */
#define __init_array_start dynlink_init_array_start
#define __init_array_end dynlink_init_array_end
#define __fini_array_start dynlink_fini_array_start
#define __fini_array_end dynlink_fini_array_end
#define __init_tls dynlink_init_tls
#define __libc_start_init dynlink_start_init
#define __libc_exit_fini dynlink_exit_fini
#define dlopen musl_dlopen
#undef weak_alias /* musl's takes the names as they are written */
#define weak_alias(old, new) alias_of(old, new)
#define alias_of(old, new) extern __typeof(old) new __attribute__((__weak__, __alias__(#old)))
#include "dynlink.c"
#undef dlopen
#undef open
#undef fstat
#undef read
#undef pread
#undef mmap

static off_t own_offset(const unsigned char *address) {
    char *each = (char *)ldso.phdr;
    for (int left = ldso.phnum; left; left--, each += ldso.phentsize) {
        Phdr *segment = (Phdr *)each;
        size_t inside = (size_t)address - (size_t)ldso.base - segment->p_vaddr;
        if (segment->p_type != PT_LOAD || inside >= segment->p_filesz) continue;
        off_t offset = inside + segment->p_offset;
        return offset % libc.page_size ? -1 : offset;
    }
    return -1;
}

/* Libraries from a disk may be for glibc, and would take this program for their libc.so.6. */
static int is_for_glibc(const char *path) {
    static const char name[] = "\0libc.so.6";
    struct stat about;
    int file = strchr(path, '/') && !own_library(path) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return 0;
    void *map = fstat(file, &about) < 0 ? MAP_FAILED : mmap(0, about.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    close(file);
    if (map == MAP_FAILED) return 0;
    int found = memmem(map, about.st_size, name, sizeof name) != NULL;
    munmap(map, about.st_size);
    return found;
}

void *dlopen(const char *path, int mode) {
    if (path && is_for_glibc(path)) {
        error("%s is a library for glibc, and this program has the C library musl", path);
        return NULL;
    }
    return musl_dlopen(path, mode);
}

static void add_exports(struct dso *library, const struct cannery_exports *exports) {
    static size_t no_entries[2];
    library->name = library->shortname = (char *)exports->name;
    library->base = ldso.base;
    library->dynv = no_entries;
    library->syms = exports->symbols;
    library->hashtab = exports->hash;
    library->strings = exports->strings;
    library->relocated = library->constructed = library->bfs_built = 1;
    library->deps = (struct dso **)no_deps;
    library->prev = tail;
    if (tail) tail->next = library;
    tail = library;
}

static void find_own_segments(void) {
    size_t aux[AUX_CNT];
    decode_vec(libc.auxv, aux, AUX_CNT);
    ldso.phdr = (void *)aux[AT_PHDR];
    ldso.phnum = aux[AT_PHNUM];
    ldso.phentsize = aux[AT_PHENT];
    ldso.base = 0;
    kernel_mapped_dso(&ldso);
}

/* Thread-local storage of the program itself is settled; that of libraries follows it. */
static void continue_tls(void) {
    if (libc.tls_head) {
        ldso.tls = *libc.tls_head;
        ldso.tls_id = 1;
        tls_tail = libc.tls_head;
        tls_offset = ldso.tls.offset;
#ifdef TLS_ABOVE_TP
        tls_offset += ldso.tls.size;
#endif
    }
    tls_cnt = static_tls_cnt = libc.tls_cnt;
    tls_align = MAXP2(tls_align, libc.tls_align);
}

/* What dynlink.c does when it starts a program, as far as that is for dlopen. */
__attribute__((constructor)) static void start_linker(void) {
    ldso_page_size = libc.page_size;
    find_own_segments();
    continue_tls();
    add_exports(&ldso, cannery_exports);
    ldso.prev = &ldso; /* it's in the list */
    head = syms_tail = &ldso;
    add_syms(&ldso);
    for (const struct cannery_exports *each = cannery_exports + 1; each->name; each++) {
        struct dso *library = calloc(1, sizeof *library);
        if (library) add_exports(library, each);
    }
    error = error_impl;
    runtime = 1;
    debug.ver = 1;
    debug.bp = dl_debug_state;
    debug.head = head;
    debug.base = ldso.base;
    atexit(dynlink_exit_fini);
}
