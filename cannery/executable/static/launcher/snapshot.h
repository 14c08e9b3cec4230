/* A start from memory that was written when the executable was built. */

#include <stdint.h>

int cannery_is_building(void);     /* this process is to be written into an executable */
void cannery_begin_building(void); /* before Python begins */
int cannery_end_building(int (*has_work)(PyObject *)); /* imports what is wanted, and writes */
void cannery_pretend(long user, const char *folder); /* which modules learn while they are imported */
int cannery_is_restored(void);     /* Python is there, with what was imported */
int cannery_resume(int argc, char **argv, const char *program); /* makes it this process's own */

int cannery_import(const char *modules, const char *refused); /* 0 where the memory may be written */
PyObject *cannery_call(const char *function, PyObject *arguments); /* one of snapshot.py, which prints what goes wrong */
int cannery_write_text(uint64_t kind, const char *text); /* to who makes the executable */

void cannery_use_own_memory(void); /* Python's allocator has its memory from memory.c */
void cannery_use_tables(void);     /* when building: tables apart from all else */
void cannery_clear_pools(void);    /* when building: what is free */

void cannery_find_hashes(void);  /* when building: all that depends on the hash secret */
void cannery_renew_hashes(void); /* when restored */

PyObject *cannery_make_names(int (*import)(void)); /* when building: strings that will be interned, in a list that holds them */

void cannery_begin_notes(void);
char *cannery_end_notes(void); /* who asked for what, a line each, or NULL */
void cannery_note(const char *what, const char *which); /* nothing, but between these two */
int cannery_is_importing(void); /* what is done is the import system's own, and no module's */
int cannery_stop_import(void);  /* sets an exception that no module catches; returns -1 */

int cannery_begin_listening(void); /* to what Python tells auditors */
void cannery_end_listening(void);

void cannery_look_for_hidden(PyObject *object);   /* when building: whether it's one that finalizes itself unknown to the collector */
void cannery_keep_objects(int (*has_work)(PyObject *)); /* when building: what is there has been made by modules */
void cannery_will_end(int code, int interrupted); /* so the process will end, after what runs at exit */
int cannery_is_exit(int *code);                   /* what was raised is a SystemExit: how that ends a program */
/* Ends the process where nobody can notice that nothing is taken apart. Otherwise returns whether all objects may be kept from
   the collector, which they may be so far as it knows (is_settled); where not, those in memory are the collector's again. */
int cannery_end_at_once(int (*has_work)(PyObject *), int is_settled);
