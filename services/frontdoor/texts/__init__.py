"""What residents read, one module for each language with the same functions. Polish comes first, English below."""
