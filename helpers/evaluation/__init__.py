"""Figures of merit with their errors, folds and groups, distributions, and networks that judge samples."""
