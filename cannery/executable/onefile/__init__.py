"""An app as one executable: PyInstaller and staticx, made reproducible."""
