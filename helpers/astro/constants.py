"""Constants in the units of this course: the values of `astropy.constants` and `astropy.units`."""

from astropy import constants, units

SPEED_OF_LIGHT = constants.c.to_value(units.km / units.s)  # km/s
SPEED_OF_LIGHT_ANGSTROM = constants.c.to_value(units.Angstrom / units.s)  # Å/s
SOLAR_LUMINOSITY = constants.L_sun.to_value(units.erg / units.s)  # erg/s, IAU 2015 B3
PARSEC = units.pc.to(units.cm)  # cm
MEGAPARSEC = units.Mpc.to(units.cm)  # cm
SECOND_RADIATION_CONSTANT = (constants.h * constants.c / constants.k_B).to_value(units.m * units.K)
"""h c / k in m K, of Planck's law by wavelength."""
AB_FLUX = units.ABflux.to(units.erg / units.s / units.cm**2 / units.Hz)
"""Flux of AB magnitude 0 in erg/s/cm²/Hz: 3631 Jy (Oke & Gunn 1983, ApJ 266, 713)."""
