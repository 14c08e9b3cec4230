"""All recipes by which a project can be packed, and peers of cannery, measured side by side."""
