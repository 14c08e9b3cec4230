/* What start.c compares before a process goes on from the memory in the executable. */

#define CANNERY_MOST_ASSUMPTIONS 64

struct cannery_assumptions {
    int count;
    char *name[CANNERY_MOST_ASSUMPTIONS]; /* variables that were asked for while building */
    char *value[CANNERY_MOST_ASSUMPTIONS]; /* NULL where there was none */
    char *folder; /* or NULL where nobody asked */
    long user, group; /* or -1 */
};
extern struct cannery_assumptions cannery_assumed;
