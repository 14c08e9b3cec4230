"""The output of the tasks: progress on standard error, reports on standard output."""
