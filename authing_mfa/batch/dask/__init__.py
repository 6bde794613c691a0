"""A batch across machines, on Dask."""
