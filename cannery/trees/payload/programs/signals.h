/* Signals, as the kernel has them, for programs that are process 1: all are held back, and waited for. */
#ifndef CANNERY_SIGNALS_H
#define CANNERY_SIGNALS_H

#include <signal.h>

#include "system.h"

typedef unsigned long signals; /* the kernel's own set of them: a bit each */

#define ALL (~0ul)
#define ONLY(number) (1ul << ((number)-1))
/* Those that tell of a fault of the very process */
#define FAULTS (ONLY(SIGILL) | ONLY(SIGTRAP) | ONLY(SIGBUS) | ONLY(SIGFPE) | ONLY(SIGSEGV) | ONLY(SIGSYS))
#define MASK (ALL & ~FAULTS)

static inline void mask(signals set)
{
    call(SYS_rt_sigprocmask, SIG_SETMASK, (long)&set, 0, sizeof set, 0);
}

#endif
