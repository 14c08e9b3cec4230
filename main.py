"""Run the sample: ``python main.py --help``."""

from my_project.cli import main

if __name__ == "__main__":
    main()
