"""What several subjects take from astronomy: cosmology, constants, lines, spectra in filters."""
