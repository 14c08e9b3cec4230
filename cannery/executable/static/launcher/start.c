/* Chooses before the C library begins whether the process goes on from the memory in the executable, or starts as any. */

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "app.h"
#include "start.h"

struct cannery_assumptions cannery_assumed;

/* Filled in when the executable is written: the program's variables as they were linked, and memory that an ordinary start
   does without. */
#define MOST_PARTS 4
struct cannery_original {
    uint64_t mark;
    uint64_t heap, heap_size;
    struct {
        uint64_t target, source, size, memory;
    } parts[MOST_PARTS];
};
__attribute__((used)) volatile const struct cannery_original cannery_original = {0x43414e4e45525921, 0, 0, {{0, 0, 0, 0}}};

static long ask(long number, long first, long second, long third) {
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(first), "S"(second), "d"(third) : "rcx", "r11", "memory");
    return result;
}

static int same(const char *one, const char *other) {
    while (*one != '\0' && *one == *other) one++, other++;
    return *one == *other;
}

static const char *value_of(char **environment, const char *name) {
    for (; *environment != NULL; environment++) {
        const char *here = *environment, *there = name;
        while (*there != '\0' && *here == *there) here++, there++;
        if (*there == '\0' && *here == '=') return here + 1;
    }
    return NULL;
}

static int is_assumed(const char *variable) {
    for (int each = 0; each < cannery_assumed.variable_count; each++) {
        const char *here = variable, *there = cannery_assumed.variables[each].name;
        while (*there != '\0' && *here == *there) here++, there++;
        if (*there == '\0' && *here == '=') return 1;
    }
    return 0;
}

/* python, python3, python3.13 */
static int is_python(const char *name) {
    for (const char *start = "python"; *start != '\0'; start++, name++) if (*name != *start) return 0;
    while ((*name >= '0' && *name <= '9') || *name == '.') name++;
    return *name == '\0';
}

/* Whether it may be called as `python` is; who starts it so wants an ordinary one. See main.c. */
static int may_be_python(long count, char **words) {
    const char *name = count > 0 ? words[0] : "";
    for (const char *at = name; *at != '\0'; at++) if (*at == '/') name = at + 1;
    if (is_python(name)) return 1;
    if (count < 2) return 0;
    size_t length = 0;
    while (words[1][length] != '\0') length++;
    if (length > 3 && same(words[1] + length - 3, ".py")) return 1;
    if (same(words[1], CANNERY_MAIN_FILE)) return 1;
    if (words[1][0] != '-' || words[1][1] == '\0' || words[1][1] == '-') return 0;
    for (const char *at = "cmBEIOPSWXbdqsuv"; *at != '\0'; at++) if (*at == words[1][1]) return 1;
    return 0;
}

/* Python has read its own variables before there is a memory to go on from: any other, and it begins anew. Those of the
   image are assumed like those that modules ask for; a hash secret that is given is one that memory doesn't have. */
static int tells_python(char **environment) {
    for (; CANNERY_USE_ENVIRONMENT && *environment != NULL; environment++) {
        const char *at = *environment, *start = "PYTHON";
        while (*start != '\0' && *at == *start) at++, start++;
        if (*start == '\0' && !is_assumed(*environment)) return 1;
    }
    return 0;
}

static int is_as_assumed(char **environment) {
    char folder[4096];
    const struct cannery_assumptions *all = &cannery_assumed;
    if (tells_python(environment)) return 0;
    for (int each = 0; each < all->variable_count; each++) {
        const struct cannery_variable *assumed = &all->variables[each];
        const char *value = value_of(environment, assumed->name);
        if ((value == NULL) != (assumed->value == NULL) || (value != NULL && !same(value, assumed->value))) return 0;
    }
    for (int each = 0; each < all->absent_count; each++) {
        long found = ask(SYS_access, (long)all->absent[each], F_OK, 0);
        if (found != -ENOENT && found != -ENOTDIR) return 0;
    }
    if (all->user >= 0 && (ask(SYS_geteuid, 0, 0, 0) != all->user || ask(SYS_getegid, 0, 0, 0) != all->group)) return 0;
    if (all->folder == NULL) return 1;
    return ask(SYS_getcwd, (long)folder, sizeof folder, 0) > 0 && same(folder, all->folder);
}

static void make_ordinary(void) {
    for (int each = 0; each < MOST_PARTS; each++) {
        char *target = (char *)cannery_original.parts[each].target;
        const char *source = (const char *)cannery_original.parts[each].source;
        uint64_t size = cannery_original.parts[each].size, rest = cannery_original.parts[each].memory - size;
        __asm__ volatile("rep movsb" : "+D"(target), "+S"(source), "+c"(size) : : "memory");
        __asm__ volatile("rep stosb" : "+D"(target), "+c"(rest) : "a"(0) : "memory");
    }
    ask(SYS_munmap, cannery_original.heap, cannery_original.heap_size, 0);
}

__attribute__((used, noinline, no_stack_protector)) void cannery_choose(long *stack) {
    long count = stack[0];
    char **words = (char **)(stack + 1), **environment = words + count + 1;
    const char *wanted = value_of(environment, "CANNERY_SNAPSHOT");
    if (wanted != NULL && same(wanted, "verify")) return; /* wherever: it ends before anything of the program's runs */
    int ordinary = (wanted != NULL && same(wanted, "0")) || may_be_python(count, words);
    if (ordinary || !is_as_assumed(environment)) make_ordinary();
}

__asm__(".text\n.globl cannery_start\ncannery_start:\n"
        " xor %rbp,%rbp\n mov %rsp,%rbx\n mov %rdx,%r12\n mov %rsp,%rdi\n and $-16,%rsp\n call cannery_choose\n"
        " mov %r12,%rdx\n mov %rbx,%rsp\n jmp _start\n");
