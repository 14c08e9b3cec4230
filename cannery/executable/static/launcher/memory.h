/* What the rest of the launcher asks of memory.c. */

#include <stddef.h>

struct cannery_region {
    char *begin, *end;
};

void *cannery_take_pages(size_t size);
void cannery_give_pages(void *pages, size_t size);
void cannery_clear_freed(void);
void *cannery_table(size_t size); /* memory among the tables, which realloc and free know */
int cannery_is_table(const void *block);
struct cannery_region cannery_heap(void);
struct cannery_region cannery_tables(void);
void cannery_keep_memory(void);
