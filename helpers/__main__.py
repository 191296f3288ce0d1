"""The command line of the course: python -m helpers SUBJECT COMMAND …"""

from helpers.cli import course

course(prog_name="python -m helpers")
