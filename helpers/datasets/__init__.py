"""Where data come from: search path, registry, downloads, caches, and readers that see damage."""
