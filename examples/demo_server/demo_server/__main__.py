"""Start the server: ``python -m demo_server``."""

from demo_server.server import main

if __name__ == "__main__":
    main()
