/* Unpacks the program into memory and executes it: nothing is written to a disk.

   The program follows in this executable's data, rearranged (columns.h) and compressed with zstd or, where
   XZ_DICTIONARY is defined, with LZMA2, the filter of xz. */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef XZ_DICTIONARY
#include <lzma.h>
#else
#include <zstd.h>
#endif

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

#include "packed.h"
#include "columns.h"

extern const uint8_t packed[], packed_end[];

static int fail(const char *what) {
    const char *step = errno == ENOMEM || errno == ENOSPC ? "give it more memory"
                       : errno == EFBIG ? "raise the limit of the size of files (ulimit -f), or build it with  packing = \"none\""
                       : errno == ENOEXEC
                           ? "let the system find the emulator that this runs in (binfmt_misc), or build it with  packing = \"none\""
                           : "where executable memory files are forbidden, build it with  packing = \"none\"";
    const char *parts[] = {"error: this program can't be unpacked into memory: ", what, ": ", strerror(errno), "\nNext: ", step, "\n"};
    for (size_t part = 0; part < sizeof parts / sizeof *parts; part++) write(2, parts[part], strlen(parts[part]));
    return 71; /* EX_OSERR */
}

static int decompress(const uint8_t *from, size_t size, uint8_t *target, size_t unpacked) {
#ifdef XZ_DICTIONARY
    lzma_options_lzma options = {.dict_size = XZ_DICTIONARY};
    lzma_filter filters[] = {{LZMA_FILTER_LZMA2, &options}, {LZMA_VLI_UNKNOWN, NULL}};
    size_t in = 0, out = 0;
    return lzma_raw_buffer_decode(filters, NULL, from, &in, size, target, &out, unpacked) == LZMA_OK && out == unpacked;
#else
    return ZSTD_decompress(target, unpacked, from, size) == unpacked;
#endif
}

/* The program's machine code and data, and what follows of them. */
static int unpack_rest(uint8_t *target, size_t packed_size, size_t unpacked) {
    if (!decompress(packed, packed_size, target + REST, unpacked)) return 0;
    put_rest(target);
    return 1;
}

/* What lies in target in the end lay there in parts, some of them further behind (columns.h). Where two parts are
   compressed for themselves, another process unpacks one of them: the memory is shared. */
static int unpack(uint8_t *target) {
    size_t size = packed_end - packed;
#ifdef XZ_DICTIONARY
    if (!unpack_rest(target, size, REST_SIZE + COLUMNS_SIZE)) return 0;
    put_modules(target);
    return 1;
#else
    int status = 1;
    /* As fork does it, but for a signal when it ends: whoever started this may have SIGCHLD ignored. */
    long helper = syscall(SYS_clone, 0, 0, 0, 0, 0);
    if (helper <= 0) { /* the helper, or there can be none */
        int done = decompress(packed + PACKED_REST, size - PACKED_REST, target + REST + REST_SIZE, COLUMNS_SIZE);
        if (done) put_modules(target);
        if (helper == 0) _exit(!done);
        status = !done;
    }
    int done = unpack_rest(target, PACKED_REST, REST_SIZE);
    while (helper > 0 && syscall(SYS_wait4, helper, &status, __WALL, 0) < 0 && errno == EINTR) continue;
    errno = ENOMEM;
    return done && status == 0;
#endif
}

/* Execute the memory file. Emulators of other machines have no execveat, or have to open the file by its name once the
   system has found them, and so after it would be closed. */
static void execute(int file, char **argv, char **environment) {
    char name[] = "/proc/self/fd/0000000000";
    syscall(SYS_execveat, file, "", argv, environment, AT_EMPTY_PATH);
    if (errno != ENOSYS && errno != ENOENT) return;
    char *digit = name + sizeof name - 1;
    for (int rest = file; digit[-1] != '/'; rest /= 10) *--digit = '0' + rest % 10;
    while (*digit == '0') memmove(digit, digit + 1, strlen(digit));
    fcntl(file, F_SETFD, 0);
    execve(name, argv, environment);
}

int main(int argc, char **argv, char **environment) {
    char path[PATH_MAX];
    (void)argc;
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length > 0) {
        path[length] = '\0';
        setenv("_CANNERY_PROGRAM", path, 1);
        environment = environ;
    }
    const char *name = length > 0 ? strrchr(path, '/') + 1 : "program";
    int file = memfd_create(name, MFD_CLOEXEC | MFD_EXEC);
    if (file < 0 && errno == EINVAL) file = memfd_create(name, MFD_CLOEXEC); /* Linux before 6.3 */
    if (file < 0) return fail("memfd_create");
    signal(SIGXFSZ, SIG_IGN); /* too large a file is an error that has words */
    if (ftruncate(file, ROOM) < 0 || fallocate(file, 0, 0, ROOM) < 0) return fail("memory");
    uint8_t *target = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (target == MAP_FAILED) return fail("mmap");
    errno = ENOMEM;
    if (!unpack(target)) return fail("decompression");
    munmap(target, ROOM);
    if (ftruncate(file, UNPACKED) < 0) return fail("ftruncate");
    signal(SIGXFSZ, SIG_DFL);
    execute(file, argv, environment);
    return fail("execveat");
}
