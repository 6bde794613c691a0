"""The version of the package, in the one place that the build, the wire and the command line read it from."""

__version__ = "0.2.0.dev0"
