/* Functions that zig's C library has wrong. */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sys/syscall.h>
#include <unistd.h>

/* They return the number of the error (POSIX), and its own return -1. */
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

/* Its own is off by 3e-7 below 2**-1022; Python 3.11 has another that it can be told to take. */
double log2(double number) {
    int exponent;
    if (!(number > 0) || isinf(number)) return log(number);
    double fraction = frexp(number, &exponent); /* 0.5 to 1; from 1 on doubled, so that what is near 1 loses nothing */
    return number < 1 ? log(fraction) / M_LN2 + exponent : log(2 * fraction) / M_LN2 + (exponent - 1);
}
