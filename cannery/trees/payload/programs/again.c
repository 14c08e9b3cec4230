/* Process 1 of a container under `invoke watch`: starts a program, and starts it again when it's sent signal 64.

   again PROGRAM [ARGUMENT]...: where the program ends by itself, this waits for that signal. Other signals are handed on;
   one that asks the program to end asks this as well, and it ends as the program does. */

#define _GNU_SOURCE
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "signals.h"

#define ENDS (ONLY(SIGTERM) | ONLY(SIGINT) | ONLY(SIGQUIT) | ONLY(SIGHUP))
#define AGAIN 64
#define FROM_TERMINAL 0x80 /* SI_KERNEL: all of the group have it */
#define PATIENCE 3         /* seconds from SIGTERM to SIGKILL */

static long program; /* 0 where none runs */
static int ending, status;

static void start(char **command, char **environment)
{
    program = call(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (program == 0) {
        mask(0);
        long failed = call(SYS_execve, (long)command[0], (long)command, (long)environment, 0, 0);
        say(command[0]);
        say(failed == -2 ? ": there is no such program\n" : ": cannot be run\n");
        end(failed == -2 ? 127 : 126);
    }
    if (program < 0) {
        say("again: no process can be started\n");
        end(125);
    }
}

/* Wait for all children that have ended; 1 where the program is one of them. What it leaves running is ended with it,
   where this is process 1. */
static int reap(void)
{
    for (int found = 0;;) {
        int how = 0;
        long ended = call(SYS_wait4, -1, (long)&how, WNOHANG, 0, 0);
        if (ended <= 0)
            return found;
        if (ended == program) {
            found = 1;
            program = 0;
            status = WIFSIGNALED(how) ? 128 + WTERMSIG(how) : WEXITSTATUS(how);
            if (call(SYS_getpid, 0, 0, 0, 0, 0) == 1)
                call(SYS_kill, -1, SIGKILL, 0, 0, 0);
        }
    }
}

void begin(long *stack)
{
    char **command = (char **)(stack + 2), **environment = (char **)(stack + stack[0] + 2);
    if (stack[0] < 2) {
        say("again PROGRAM [ARGUMENT]...\n");
        end(2);
    }
    mask(MASK);
    call(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    start(command, environment);
    int again = 0;
    for (signals awaited = MASK;;) {
        struct timespec patience = {PATIENCE, 0};
        siginfo_t told;
        long limit = again && program ? (long)&patience : 0;
        long number = call(SYS_rt_sigtimedwait, (long)&awaited, (long)&told, limit, sizeof awaited, 0);
        int ended = 0;
        if (number == SIGCHLD) {
            ended = reap();
        } else if (number == AGAIN) {
            again = 1;
            if (program)
                call(SYS_kill, program, SIGTERM, 0, 0, 0);
        } else if (number > 0 && number != SIGTTIN && number != SIGTTOU) {
            ending = ending || (ENDS & ONLY(number));
            if (program && told.si_code != FROM_TERMINAL)
                call(SYS_kill, program, number, 0, 0, 0);
        } else if (again && program) {
            call(SYS_kill, program, SIGKILL, 0, 0, 0);
        }
        if (program)
            continue;
        if (ending)
            end(status);
        if (again)
            start(command, environment);
        else if (ended)
            say("the program has ended: it's started again with the next change\n");
        again = 0;
    }
}
