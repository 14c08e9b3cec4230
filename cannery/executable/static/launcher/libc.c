/* Functions that zig's C library has wrong: they return the number of the error (POSIX), and it returns -1. */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

int posix_fallocate(int file, off_t offset, off_t length) {
    int before = errno, failed = syscall(SYS_fallocate, file, 0, offset, length) < 0 ? errno : 0;
    errno = before;
    return failed;
}

int posix_fadvise(int file, off_t offset, off_t length, int advice) {
    int before = errno, failed = syscall(SYS_fadvise64, file, offset, length, advice) < 0 ? errno : 0;
    errno = before;
    return failed;
}
