"""Ways to pack one program, measured side by side: what is stored, how builds take their time, how it runs."""
