"""From an app to a plan, and from a plan to what is written: one module a recipe.

Planning makes what decides about other parts of an image, unless it's remembered: versions are pinned, uv installs the
wheels and Cython compiles the app, as only those files tell which shared libraries the runtime must have. Packing
(``build.py``) makes all the rest, as bytecode and stripped libraries, of the layers that no build before has packed.
"""
