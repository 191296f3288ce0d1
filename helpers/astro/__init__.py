"""What more than one subject takes from astronomy: cosmology, constants, spectral lines, surveys."""
