"""What somebody meets who has just cloned this: make run, make letter, make books."""
