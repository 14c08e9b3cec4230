"""The executable of the recipe ``static``: its kit, the modules that go in, the link."""
