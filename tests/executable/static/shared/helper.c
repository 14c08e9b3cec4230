/* What fast.c needs and finds beside it, as auditwheel puts it there. */
static int number = 6;
int helper_next(void) { return ++number; }
