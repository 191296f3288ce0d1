"""Checks and hints of each hack's exercises: ``hackNN``, imported when first needed."""
