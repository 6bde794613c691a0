"""The version of the package. The build, the requests and the command line read it here."""

__version__ = "0.2.0.dev0"
