/* Process 1 of a container: starts a program, hands signals on to it, and waits for children that nobody else waits for.

   init PROGRAM [ARGUMENT]...: it ends as the program does, with 128 and the number of a signal that ended that. */

#define _GNU_SOURCE
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "signals.h"

/* The program, which leads a process group of its own, in the foreground of a terminal where there is one. */
__attribute__((noreturn)) static void run(char **command, char **environment)
{
    call(SYS_setpgid, 0, 0, 0, 0, 0);
    int group = (int)call(SYS_getpid, 0, 0, 0, 0, 0);
    call(SYS_ioctl, 0, TIOCSPGRP, (long)&group, 0, 0); /* SIGTTOU is held back; no terminal, no matter */
    mask(0);
    long failed = call(SYS_execve, (long)command[0], (long)command, (long)environment, 0, 0);
    say(command[0]);
    say(failed == -2 ? ": there is no such program\n" : ": cannot be run\n");
    end(failed == -2 ? 127 : 126);
}

/* Wait for all children that have ended; ends as `program` has, if that's one. */
static void reap(long program)
{
    for (;;) {
        int status = 0;
        long ended = call(SYS_wait4, -1, (long)&status, WNOHANG, 0, 0);
        if (ended <= 0)
            return;
        if (ended == program)
            end(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
    }
}

void begin(long *stack)
{
    char **command = (char **)(stack + 2);
    if (stack[0] < 2) {
        say("init PROGRAM [ARGUMENT]...\n");
        end(2);
    }
    mask(MASK);
    call(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); /* where an engine's own init is process 1 */
    long program = call(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (program == 0)
        run(command, (char **)(stack + stack[0] + 2));
    if (program < 0) {
        say("init: no process can be started\n");
        end(125);
    }
    for (signals awaited = MASK;;) {
        long number = call(SYS_rt_sigtimedwait, (long)&awaited, 0, 0, sizeof awaited, 0);
        if (number == SIGCHLD)
            reap(program);
        else if (number > 0 && number != SIGTTIN && number != SIGTTOU)
            call(SYS_kill, program, number, 0, 0, 0);
    }
}
