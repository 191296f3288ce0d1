"""Where data come from: search path, registry, downloads, caches, and readers that refuse what is not whole."""
