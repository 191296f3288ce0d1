"""The checks and hints of each hack's exercises: ``hackNN``, imported when they are first needed."""
