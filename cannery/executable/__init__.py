"""One executable: ``onefile`` by PyInstaller and staticx, ``static`` linked from a ``kit``."""
