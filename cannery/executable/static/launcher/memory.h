/* What the rest of the launcher asks of memory.c. */

#include <stddef.h>

struct cannery_region {
    char *begin, *end;
};

void *cannery_take_pages(size_t size);
void cannery_give_pages(void *pages, size_t size);
void cannery_clear_freed(void);
struct cannery_region cannery_heap(void);
void cannery_keep_memory(void);
