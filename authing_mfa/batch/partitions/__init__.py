"""A run that is divided into partitions, for several processes: on a Dask cluster, or on this machine."""
