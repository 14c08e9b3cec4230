/* What start.c compares before a process goes on from the memory in the executable. */

struct cannery_variable {
    char *name, *value; /* NULL where there was none */
};

struct cannery_assumptions {
    int variable_count, absent_count;
    struct cannery_variable *variables; /* that were asked for while building */
    char **absent; /* files that were looked for, and weren't there */
    char *folder; /* or NULL where nobody asked */
    long user, group; /* or -1 */
};
extern struct cannery_assumptions cannery_assumed;
