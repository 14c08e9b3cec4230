"""Start the server: ``python -m random_api``."""

from random_api.server import main

if __name__ == "__main__":
    main()
