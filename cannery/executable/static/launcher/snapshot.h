/* A start from memory that was written when the executable was built. */

int cannery_is_building(void);     /* this process is to be written into an executable */
void cannery_begin_building(void); /* before Python begins */
int cannery_end_building(void);    /* imports what is wanted, and writes */
void cannery_pretend(long user, const char *folder); /* which modules learn while they are imported */
int cannery_is_restored(void);     /* Python is there, with what was imported */
int cannery_resume(int argc, char **argv, const char *program); /* makes it this process's own */

void cannery_find_hashes(void);  /* when building: all that depends on the hash secret */
void cannery_renew_hashes(void); /* when restored */

void cannery_begin_notes(void);
char *cannery_end_notes(void); /* who asked for what, a line each, or NULL */
void cannery_note(const char *what, const char *which); /* nothing, but between these two */
int cannery_is_importing(void); /* what is done is the import system's own, and no module's */
int cannery_stop_import(void);  /* sets an exception that no module catches; returns -1 */

int cannery_begin_listening(void); /* to what Python tells auditors */
void cannery_end_listening(void);
