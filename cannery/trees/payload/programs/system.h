/* What a program without a C library takes from Linux on x86-64 and 64-bit ARM: system calls, and how it's started. */
#ifndef CANNERY_SYSTEM_H
#define CANNERY_SYSTEM_H

#include <sys/syscall.h>

static inline long call(long number, long a, long b, long c, long d, long e)
{
#if defined(__x86_64__)
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = 0;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
#elif defined(__aarch64__)
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = 0;
    __asm__ volatile("svc 0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory", "cc");
    return x0;
#else
#error "another machine has other system calls"
#endif
}

/* The program: `stack` is as the kernel leaves it, with the count of arguments, the arguments, a null, and so on. */
__attribute__((noreturn, used)) void begin(long *stack);

#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n xor %ebp, %ebp\n mov %rsp, %rdi\n and $-16, %rsp\n call begin\n");
#elif defined(__aarch64__)
__asm__(".globl _start\n_start:\n mov x29, xzr\n mov x30, xzr\n mov x0, sp\n bl begin\n");
#endif

static inline unsigned long length_of(const char *text)
{
    unsigned long length = 0;
    while (((const volatile char *)text)[length]) /* volatile: or a compiler takes it for strlen, which isn't there */
        length++;
    return length;
}

static inline void say(const char *text)
{
    call(SYS_write, 2, (long)text, (long)length_of(text), 0, 0);
}

__attribute__((noreturn)) static inline void end(int status)
{
    for (;;)
        call(SYS_exit_group, status, 0, 0, 0, 0);
}

#endif
