"""Run the program: ``python -m greeter``."""

from greeter.cli import main

if __name__ == "__main__":
    main()
