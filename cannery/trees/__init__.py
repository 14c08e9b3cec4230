"""Where trees come from, and what is done to them: one maker or transform to a module."""
