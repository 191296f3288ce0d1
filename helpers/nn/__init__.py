"""Layers and networks that more than one hack uses."""
