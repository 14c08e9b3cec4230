"""``python -m cannery``: the same as ``cannery``."""

from cannery.tasks.program import main

if __name__ == "__main__":
    main()
